//! What a folder is for, told by its name alone: for servers without SPECIAL-USE (RFC 6154).

use crate::content::email::FolderRole;

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Role(FolderRole),
    /// What nobody asked for.
    Junk,
}

/// What a folder's name means, in the languages that mail programs use most.
pub(super) fn of_name(name: &str) -> Option<Use> {
    let name = name.trim().to_lowercase();
    Some(match name.as_str() {
        "sent"
        | "sent items"
        | "sent messages"
        | "sent mail"
        | "gesendet"
        | "gesendete objekte"
        | "gesendete elemente"
        | "envoyés"
        | "éléments envoyés"
        | "enviados"
        | "skickat"
        | "inviata"
        | "posta inviata"
        | "verzonden"
        | "отправленные" => Use::Role(FolderRole::Sent),
        "drafts" | "draft" | "entwürfe" | "brouillons" | "borradores" | "utkast" | "bozze"
        | "concepten" | "черновики" => Use::Role(FolderRole::Drafts),
        "trash"
        | "deleted"
        | "deleted items"
        | "deleted messages"
        | "bin"
        | "papierkorb"
        | "gelöschte objekte"
        | "gelöschte elemente"
        | "corbeille"
        | "papelera"
        | "papperskorg"
        | "papperskorgen"
        | "cestino"
        | "prullenbak"
        | "корзина" => Use::Role(FolderRole::Trash),
        "junk" | "spam" | "junk e-mail" | "junk email" | "bulk mail" | "skräppost" => Use::Junk,
        _ => return None,
    })
}
