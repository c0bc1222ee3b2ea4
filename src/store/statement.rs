//! SQL text that is prepared once per connection.
//!
//! The hot path needs joins and upserts that diesel's query builder does not express, and `sql_query` prepares its
//! text anew each time. A [`Sql`] type has a fixed text, so diesel keeps its prepared form under the type's identity.
//! Each `?` in the text takes the next value of the list.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use diesel::backend::Backend;
use diesel::connection::LoadConnection;
use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error::DeserializationError;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, HasSqlType, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl};

use super::connection::Database;
use super::error::StoreError;

/// A fixed SQL text.
pub(super) trait Sql: 'static {
    /// SQL types of the columns it gives.
    type Row: 'static;
    /// The text, with `?` for values.
    const TEXT: &'static str;
}

/// Declares a [`Sql`] type: `statement!(Name(columns) = "text" "more text");`.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident($row:ty) = $($text:tt)+) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl $crate::store::statement::Sql for $name {
            type Row = $row;
            const TEXT: &'static str = $crate::store::statement::text!([] $($text)+);
        }
    };
}

/// Joins literals and macros that give literals.
macro_rules! text {
    ([$($done:tt)*] $name:ident!() $($rest:tt)*) => { $crate::store::statement::text!([$($done)* $name!(),] $($rest)*) };
    ([$($done:tt)*] $literal:literal $($rest:tt)*) => { $crate::store::statement::text!([$($done)* $literal,] $($rest)*) };
    ([$($done:tt)*]) => { concat!($($done)*) };
}

pub(super) use {statement, text};

/// A value for a `?`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bind<'a> {
    Int(i64),
    OptionalInt(Option<i64>),
    Text(&'a str),
    OptionalText(Option<&'a str>),
    Blob(&'a [u8]),
    OptionalBlob(Option<&'a [u8]>),
}

/// A text with its values.
pub(super) struct Statement<'a, S> {
    binds: &'a [Bind<'a>],
    sql: PhantomData<S>,
}

impl<S: Sql> QueryId for Statement<'_, S> {
    type QueryId = S;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S: Sql> Query for Statement<'_, S> {
    type SqlType = S::Row;
}

impl<S, C> RunQueryDsl<C> for Statement<'_, S> {}

impl<S, DB> QueryFragment<DB> for Statement<'_, S>
where
    S: Sql,
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Binary>,
    i64: ToSql<BigInt, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    str: ToSql<Text, DB>,
    for<'b> Option<&'b str>: ToSql<Nullable<Text>, DB>,
    [u8]: ToSql<Binary, DB>,
    for<'b> Option<&'b [u8]>: ToSql<Nullable<Binary>, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut parts = S::TEXT.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for bind in self.binds {
            match bind {
                Bind::Int(value) => out.push_bind_param::<BigInt, i64>(value)?,
                Bind::OptionalInt(value) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                Bind::Text(value) => out.push_bind_param::<Text, str>(value)?,
                Bind::OptionalText(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                Bind::Blob(value) => out.push_bind_param::<Binary, [u8]>(value)?,
                Bind::OptionalBlob(value) => out.push_bind_param::<Nullable<Binary>, _>(value)?,
            }
            out.push_sql(parts.next().unwrap_or_default());
        }
        Ok(())
    }
}

/// Runs a statement; gives the number of rows that it changed.
pub(super) fn execute<S: Sql>(
    connection: &mut Database,
    _: S,
    binds: &[Bind<'_>],
) -> Result<usize, StoreError> {
    let statement = Statement::<S> {
        binds,
        sql: PhantomData,
    };
    match connection {
        Database::Sqlite(sqlite) => Ok(statement.execute(sqlite)?),
    }
}

/// Gives each row to `take`, until it breaks off.
pub(super) fn each<S, U>(
    connection: &mut Database,
    _: S,
    binds: &[Bind<'_>],
    mut take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError>
where
    S: Sql,
    Sqlite: QueryMetadata<S::Row>,
    U: FromSqlRow<S::Row, Sqlite>,
{
    let statement = Statement::<S> {
        binds,
        sql: PhantomData,
    };
    match connection {
        Database::Sqlite(sqlite) => {
            for row in sqlite.load(statement)? {
                let row = U::build_from_row(&row?).map_err(DeserializationError)?;
                if take(row)?.is_break() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Gives the first row, if there is one.
pub(super) fn first<S, U>(
    connection: &mut Database,
    sql: S,
    binds: &[Bind<'_>],
) -> Result<Option<U>, StoreError>
where
    S: Sql,
    Sqlite: QueryMetadata<S::Row>,
    U: FromSqlRow<S::Row, Sqlite>,
{
    let mut found = None;
    each(connection, sql, binds, |row| {
        found = Some(row);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Gives all rows of a statement that has few.
pub(super) fn all<S, U>(
    connection: &mut Database,
    sql: S,
    binds: &[Bind<'_>],
) -> Result<Vec<U>, StoreError>
where
    S: Sql,
    Sqlite: QueryMetadata<S::Row>,
    U: FromSqlRow<S::Row, Sqlite>,
{
    let mut rows = Vec::new();
    each(connection, sql, binds, |row| {
        rows.push(row);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}
