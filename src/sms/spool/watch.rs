//! What became of our files: in the folder of sent ones the network has them, in that of failed ones it has not.
//!
//! The folders are looked at again and again: not every file system tells of changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::form;
use crate::sms::event::{Event, Events, Receipt, ReceiptState};
use crate::sms::settings::SpoolSettings;

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// Files that are told of in one look; the rest waits for the next one.
const MOST: usize = 256;

/// Looks until it is aborted.
pub(super) async fn watch(settings: SpoolSettings, events: Events) {
    let folders = settings.format.folders();
    let places = [
        (settings.path.join(folders.sent), ReceiptState::Pending),
        (settings.path.join(folders.failed), ReceiptState::Failed),
    ];
    loop {
        for (place, state) in &places {
            for (path, name) in ours(place) {
                let Some(reference) = form::reference(&name) else {
                    continue;
                };
                let text = match state {
                    ReceiptState::Failed => "the daemon could not send it",
                    _ => "the network has it",
                };
                let receipt = Receipt {
                    reference: Some(reference),
                    gateway_id: Some(name),
                    state: *state,
                    text: text.to_owned(),
                };
                // One that nobody keeps stays for the next look.
                if events.deliver(Event::Receipt(receipt)).await
                    && let Err(error) = fs::remove_file(&path)
                {
                    tracing::warn!("{} cannot be removed: {error}", path.display());
                }
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Our files in a folder, with their names.
fn ours(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let named = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        form::reference(&name)?;
        // Daemons write beside and rename as well, or lock.
        (!name.ends_with(".LOCK")).then(|| (entry.path(), name))
    });
    named.take(MOST).collect()
}
