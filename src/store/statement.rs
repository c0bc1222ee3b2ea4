//! SQL text that is prepared once per connection.
//!
//! The hot path needs joins and upserts that diesel's query builder does not express, and `sql_query` prepares its
//! text anew each time. A [`Sql`] type has a fixed text, so diesel keeps its prepared form under the type's identity.
//! Each `?` in the text takes the next value of the list. There is none behind LIMIT: SQLite looks at that value when
//! it plans, and so prepares the statement again for each. Callers that want few rows break off.

use std::cell::Cell;
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
    /// What PostgreSQL takes instead; it may use more of the values.
    #[cfg(feature = "postgres")]
    const POSTGRESQL: &'static str = Self::TEXT;
}

/// Declares a [`Sql`] type: `statement!(Name(columns) = "text" "more text");`, or, where the back ends differ,
/// `statement!(Name(columns) = ["text"] postgresql ["another text"]);`.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident($row:ty) = [$($text:tt)+] postgresql [$($other:tt)+]) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl $crate::store::statement::Sql for $name {
            type Row = $row;
            const TEXT: &'static str = $crate::store::statement::text!([] $($text)+);
            #[cfg(feature = "postgres")]
            const POSTGRESQL: &'static str = $crate::store::statement::text!([] $($other)+);
        }
    };
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

impl<S: Sql> QueryFragment<Sqlite> for Statement<'_, S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        walk(S::TEXT, self.binds, out)
    }
}

#[cfg(feature = "postgres")]
impl<S: Sql> QueryFragment<diesel::pg::Pg> for Statement<'_, S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        walk(S::POSTGRESQL, self.binds, out)
    }
}

/// Puts the parts of a text and its values in turn; values behind the last `?` are not used.
fn walk<'b, DB>(
    text: &'static str,
    binds: &'b [Bind<'b>],
    mut out: AstPass<'_, 'b, DB>,
) -> QueryResult<()>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<Binary>,
    i64: ToSql<BigInt, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    str: ToSql<Text, DB>,
    Option<&'b str>: ToSql<Nullable<Text>, DB>,
    [u8]: ToSql<Binary, DB>,
    Option<&'b [u8]>: ToSql<Nullable<Binary>, DB>,
{
    let mut begin = 0;
    for (end, bind) in memchr::memchr_iter(b'?', text.as_bytes()).zip(binds) {
        out.push_sql(text.get(begin..end).unwrap_or_default());
        begin = end + 1;
        match bind {
            Bind::Int(value) => out.push_bind_param::<BigInt, i64>(value)?,
            Bind::OptionalInt(value) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
            Bind::Text(value) => out.push_bind_param::<Text, str>(value)?,
            Bind::OptionalText(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
            Bind::Blob(value) => out.push_bind_param::<Binary, [u8]>(value)?,
            Bind::OptionalBlob(value) => out.push_bind_param::<Nullable<Binary>, _>(value)?,
        }
    }
    out.push_sql(text.get(begin..).unwrap_or_default());
    Ok(())
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
        #[cfg(feature = "postgres")]
        Database::Postgresql(postgresql) => Ok(statement.execute(postgresql)?),
    }
}

/// A statement whose rows can be read as `U` from every back end.
pub(super) trait Gives<U>: Sql + Sized {
    /// Gives each row to `take`, until it breaks off.
    fn each(
        connection: &mut Database,
        binds: &[Bind<'_>],
        take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError>;
}

#[cfg(not(feature = "postgres"))]
impl<S, U> Gives<U> for S
where
    S: Sql,
    Sqlite: QueryMetadata<S::Row>,
    U: FromSqlRow<S::Row, Sqlite>,
{
    fn each(
        connection: &mut Database,
        binds: &[Bind<'_>],
        take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        match connection {
            Database::Sqlite(sqlite) => rows::<S, _, U>(sqlite, binds, take),
        }
    }
}

#[cfg(feature = "postgres")]
impl<S, U> Gives<U> for S
where
    S: Sql,
    Sqlite: QueryMetadata<S::Row>,
    diesel::pg::Pg: QueryMetadata<S::Row>,
    U: FromSqlRow<S::Row, Sqlite> + FromSqlRow<S::Row, diesel::pg::Pg>,
{
    fn each(
        connection: &mut Database,
        binds: &[Bind<'_>],
        take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        match connection {
            Database::Sqlite(sqlite) => rows::<S, _, U>(sqlite, binds, take),
            Database::Postgresql(postgresql) => rows::<S, _, U>(postgresql, binds, take),
        }
    }
}

thread_local! {
    static ROWS: Cell<u64> = const { Cell::new(0) };
}

/// Rows that the statements of this thread gave so far: what a load cost, for tests and benchmarks that count work and not
/// time.
pub fn rows_read() -> u64 {
    ROWS.get()
}

fn rows<S, C, U>(
    connection: &mut C,
    binds: &[Bind<'_>],
    mut take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError>
where
    S: Sql,
    C: LoadConnection,
    C::Backend: QueryMetadata<S::Row>,
    for<'a> Statement<'a, S>: QueryFragment<C::Backend>,
    U: FromSqlRow<S::Row, C::Backend>,
{
    let statement = Statement::<S> {
        binds,
        sql: PhantomData,
    };
    for row in connection.load(statement)? {
        ROWS.set(ROWS.get() + 1);
        let row = U::build_from_row(&row?).map_err(DeserializationError)?;
        if take(row)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Gives each row to `take`, until it breaks off.
pub(super) fn each<S: Gives<U>, U>(
    connection: &mut Database,
    _: S,
    binds: &[Bind<'_>],
    take: impl FnMut(U) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    S::each(connection, binds, take)
}

/// Gives the first row, if there is one.
pub(super) fn first<S: Gives<U>, U>(
    connection: &mut Database,
    sql: S,
    binds: &[Bind<'_>],
) -> Result<Option<U>, StoreError> {
    let mut found = None;
    each(connection, sql, binds, |row| {
        found = Some(row);
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

/// Gives all rows of a statement that has few.
pub(super) fn all<S: Gives<U>, U>(
    connection: &mut Database,
    sql: S,
    binds: &[Bind<'_>],
) -> Result<Vec<U>, StoreError> {
    let mut rows = Vec::new();
    each(connection, sql, binds, |row| {
        rows.push(row);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}
