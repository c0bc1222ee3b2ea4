//! The same over XML: the objects stand in sections, and carriage returns in references.

macro_rules! in_xml {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                super::peers::in_xml(super::$name);
            }
        )*
    };
}

in_xml! {
    folders_come_before_what_is_in_them
    flags_go_both_ways_and_the_message_goes_once
    a_phone_never_changes_the_message_of_a_received_mail
    a_mail_is_moved_on_either_side
    a_phone_makes_moves_renames_and_deletes_folders
    a_folder_cannot_be_within_itself_nor_anything_in_a_folder_that_is_not_known
    a_folder_that_the_server_needs_comes_back
    a_mail_that_is_deleted_goes_to_the_trash_and_from_there_for_good
    a_mail_that_is_put_into_the_outbox_lies_there
    a_phone_has_what_is_within_its_window
    a_folder_has_a_window_of_its_own
    a_phone_without_folders_has_the_inbox
    what_a_phone_without_folders_writes_stays_on_it
    a_draft_may_be_edited
    a_slow_sync_finds_everything_again_and_doubles_nothing
    a_phone_asks_for_one_mail_and_the_others_stay
    a_long_mail_is_cut_and_all_of_it_comes_when_it_is_asked_for
    a_phone_asks_for_mail_since_a_time
    a_refresh_from_the_phone_touches_only_what_it_had
    a_large_mailbox_costs_a_small_phone_its_window
    mail_gets_through_a_bad_network
}
