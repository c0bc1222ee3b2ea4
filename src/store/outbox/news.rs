//! What is new to a device, one by one: for those who judge whether it is worth a notification.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::super::Store;
use super::super::error::StoreError;
use super::super::row::{self, MetaRow, MetaSql, meta_columns};
use super::super::statement::{Bind, each, first, statement};
use crate::sync::{AccountId, Datastore, DeviceId, Item};

/// An item that changed, and whether the device has or was sent an older version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// As it is now; may be a tombstone.
    pub item: Item,
    /// The device knows it.
    pub known: bool,
    /// The device asked for the rest of this mail.
    pub asked: bool,
    /// The body of the folder that it is in; `None` at the top of its datastore.
    pub folder: Option<Vec<u8>>,
}

statement!(
    BaseOf((Nullable<BigInt>,)) =
        "SELECT base FROM \"view\" WHERE account = ? AND device = ? AND view = ?"
);
statement!(
    /// Values: device, view, account, datastore, modseq.
    /// A folder is an item, whose number as a folder is that of the item and 16.
    Newer((MetaSql, Binary, Nullable<BigInt>, Nullable<BigInt>, Nullable<Binary>)) =
     "SELECT " meta_columns!() ", i.body, e.item, r.item, f.body FROM item i \
     LEFT JOIN entry e ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id \
     LEFT JOIN rest_asked r ON r.account = i.account AND r.device = e.device AND r.item = i.id \
     LEFT JOIN item f ON f.account = i.account AND i.folder > 16 AND f.id = i.folder - 16 \
     WHERE i.account = ? AND i.datastore = ? AND i.modseq > ? \
     AND ((e.item IS NULL AND i.deleted = 0) OR e.seen < i.modseq)"
);

impl Store {
    /// Items of a view that the device does not know as they are, at most so many, and one more if there are more.
    pub fn news(
        &self,
        account: AccountId,
        device: DeviceId,
        view: Datastore,
        most: usize,
    ) -> Result<Vec<News>, StoreError> {
        let mut reader = self.reader()?;
        let connection = reader.connection()?;
        let (of, number) = (Bind::Int(device.0), Bind::Int(i64::from(view.number())));
        let key = [Bind::Int(account.0), of, number];
        let base: Option<(Option<i64>,)> = first(connection, BaseOf, &key)?;
        let Some((Some(base),)) = base else {
            return Ok(Vec::new());
        };
        let mut news = Vec::new();
        for datastore in view.collections() {
            let binds = [
                of,
                number,
                key[0],
                Bind::Int(i64::from(datastore.number())),
                Bind::Int(base),
            ];
            type Row = (MetaRow, Vec<u8>, Option<i64>, Option<i64>, Option<Vec<u8>>);
            each(
                connection,
                Newer,
                &binds,
                |(meta, body, entry, asked, folder): Row| {
                    news.push(News {
                        item: row::item(meta, Some(body))?,
                        known: entry.is_some(),
                        asked: asked.is_some(),
                        folder,
                    });
                    Ok(if news.len() > most {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                },
            )?;
            if news.len() > most {
                break;
            }
        }
        Ok(news)
    }
}
