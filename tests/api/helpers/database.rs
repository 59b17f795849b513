//! One throw-away server for the test run, one database for each test, copied from a migrated one.

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use local_postgres::LocalPostgres;
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::OnceCell;

const TEMPLATE: &str = "migrated";

/// The databases of tests that ended. Hundreds of them, kept until the last test, would fill a small disk.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The server; its watchdog ends it with this process.
fn server() -> &'static LocalPostgres {
    static SERVER: OnceLock<LocalPostgres> = OnceLock::new();
    SERVER.get_or_init(|| LocalPostgres::start_throwaway().unwrap())
}

/// Makes a database without any table; returns its URL.
pub(crate) async fn create_empty() -> String {
    copy("template1").await
}

/// Makes a database with all tables; returns its URL.
pub(crate) async fn create() -> String {
    static MIGRATED: OnceCell<()> = OnceCell::const_new();
    MIGRATED
        .get_or_init(async || {
            run(&format!("create database {TEMPLATE}")).await;
            engine::db::migrate(&server().url(TEMPLATE).into()).await.unwrap();
        })
        .await;
    copy(TEMPLATE).await
}

/// A test's database, which goes with the test.
pub(crate) struct Lent(String);

impl Lent {
    /// Makes a database with all tables.
    pub(crate) async fn create() -> Self {
        Self(create().await)
    }

    pub(crate) fn url(&self) -> &str {
        &self.0
    }
}

impl Drop for Lent {
    /// The next test that makes one drops it: no statement can be awaited here.
    fn drop(&mut self) {
        let options: PgConnectOptions = self.0.parse().unwrap();
        LEFT.lock().unwrap().extend(options.get_database().map(str::to_owned));
    }
}

async fn copy(template: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let left = LEFT.lock().unwrap().pop();
    if let Some(name) = left {
        run(&format!("drop database {name} with (force)")).await;
    }
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    run(&format!("create database {name} template {template}")).await;
    server().url(&name)
}

/// Runs a statement as the server's owner, outside of every test's database.
pub(crate) async fn run(statement: &str) {
    let mut connection = PgConnection::connect(&server().url("postgres")).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

/// The test's own connections, which the server lists under the name `test`.
pub(crate) async fn connect(url: &str) -> PgPool {
    let options = url.parse::<PgConnectOptions>().unwrap().application_name("test");
    PgPoolOptions::new().max_connections(2).connect_with(options).await.unwrap()
}

/// All data of a database as text, as a `pg_dump` holds it; but the bodies can be read.
pub(crate) async fn dump(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute("set bytea_output = 'escape'").await.unwrap();
    let tables = "select oid::regclass::text from pg_class where relkind = 'r'
        and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) order by 1";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut dump = String::new();
    for table in tables {
        let rows = format!("select coalesce(string_agg(a_row::text, chr(10)), '') from {table} as a_row");
        let rows: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(rows)).fetch_one(&mut connection).await.unwrap();
        dump.extend([table.as_str(), "\n", &rows, "\n"]);
    }
    dump
}
