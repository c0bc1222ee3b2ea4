//! The folders of an account's mail, which are items.

use std::ops::ControlFlow;

use diesel::sql_types::Binary;

use super::super::Store;
use super::super::error::StoreError;
use super::super::row::{self, MetaRow, MetaSql, meta_columns};
use super::super::statement::{Bind, each, statement};
use crate::sync::{AccountId, Item, MAX_FOLDERS};

statement!(
    /// Kind 6 is a folder: see `row::kind_number`.
    FoldersOf((MetaSql, Binary)) = "SELECT " meta_columns!() ", i.body FROM item i \
     WHERE i.account = ? AND i.kind = 6 AND i.deleted = 0 ORDER BY i.folder, i.id"
);

impl Store {
    /// The living folders of an account's mail.
    pub fn folders(&self, account: AccountId) -> Result<Vec<Item>, StoreError> {
        let mut reader = self.reader()?;
        let mut found = Vec::new();
        each(
            reader.connection()?,
            FoldersOf,
            &[Bind::Int(account.0)],
            |(meta, body): (MetaRow, Vec<u8>)| {
                found.push(row::item(meta, Some(body))?);
                Ok(if found.len() < MAX_FOLDERS {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(found)
    }
}
