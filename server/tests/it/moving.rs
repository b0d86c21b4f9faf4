//! The data on its way: schema steps, copies between engines, backups. As an operator does it, with the binary.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::database::Database;
use crate::process::{Place, Server, create_user};

/// Says that it is done also when its test has failed.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn honours(server: &Server, token: &str) -> bool {
    server.ask("GET /auth/v1/session", token, "").starts_with("HTTP/1.1 200")
}

/// Rows behind everybody's back: users with a session each.
fn fill(path: &Path, users: usize) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let numbers = format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})");
    connection
        .execute_batch(&format!(
            "{numbers} INSERT INTO users SELECT 'u' || i, 'u' || i, 'u' || i, 'u' || i || '@x', 'u' || i || '@x', '', '', 'member',
             'active', NULL, i FROM n;
             {numbers} INSERT INTO sessions (id, token_hash, user_id, half, factors, dialect, created_at, authenticated_at,
             last_seen_at, idle_expires_at, expires_at) SELECT 's' || i, 't' || i, 'u' || i, 0, '', '', i, i, i, i, i FROM n;"
        ))
        .unwrap();
}

#[tokio::test]
async fn a_session_outlives_a_copy_there_and_back() {
    let place = Place::new();
    let server = place.serve();
    create_user(&place, "ann");
    let token = server.sign_in("ann");
    let busy = place.refused("copy --to sqlite://busy.db", "", 1);
    assert!(busy.contains("the source: ") && busy.contains("stop the server first"), "{busy}");
    server.stop();

    let folder = tempfile::tempdir().unwrap();
    let target = Database::new(folder.path()).await;
    let url = target.url();
    // The URL is where no other account can read it.
    let mut command = place.command("copy --to-env TARGET_URL --json");
    let output = command.env("TARGET_URL", &url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let copied: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(copied["resumed"], false);
    let rows =
        |name: &str| copied["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap()["rows"].clone();
    assert_eq!((rows("users"), rows("sessions")), (1.into(), 1.into()));

    let moved = place.serve_with(&format!("--database-url {url}"), Stdio::null());
    assert!(honours(&moved, &token));
    let newer = moved.sign_in("ann");
    moved.stop();

    place.json(&format!("copy --from {url} --to sqlite://back.db"), "");
    let back = place.serve_with("--database-url sqlite://back.db", Stdio::null());
    assert!(honours(&back, &token) && honours(&back, &newer));
    back.stop();
    let full = place.refused("copy --to sqlite://back.db", "", 1);
    assert!(full.contains("the target: is not empty"), "{full}");
}

#[tokio::test]
async fn a_copy_that_was_killed_goes_on() {
    const USERS: usize = 60_000;
    let place = Place::new();
    create_user(&place, "ann");
    fill(&place.path().join("data/doorward.db"), USERS);
    let folder = tempfile::tempdir().unwrap();
    let target = Database::new(folder.path()).await;
    let arguments = format!("copy --to {}", target.url());
    let mut child = place.command(&arguments).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // In the middle of the first large table: nothing reads on, so it could not say much more.
    assert!(said.by_ref().any(|line| line.unwrap().starts_with("users: ")));
    child.kill().unwrap();
    child.wait().unwrap();
    let copied: usize = target.value("SELECT count(*) FROM users").await.parse().unwrap();
    assert!(copied > 0 && target.value("SELECT count(*) FROM sessions").await == "0", "{copied}");

    let half = place.refused(&format!("serve --listen 127.0.0.1:0 --database-url {}", target.url()), "", 1);
    assert!(half.contains("unfinished copy"), "{half}");
    let mut again = place.command(&format!("{arguments} --json"));
    let output = again.stderr(Stdio::null()).output().unwrap();
    let done: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["resumed"], true);
    let users = done["tables"].as_array().unwrap().iter().find(|table| table["table"] == "users").unwrap();
    assert_eq!(users["rows"], USERS + 1);
}

#[test]
fn a_backup_beside_a_busy_server_has_all_that_was_answered() {
    let place = Place::new();
    let server = place.serve();
    create_user(&place, "ann");
    let (token, done) = (server.sign_in("ann"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _done = Done(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                server.sign_in("ann");
            }
        });
        for number in 1..=5 {
            let known = server.sign_in("ann");
            let file = format!("backup-{number}.db");
            place.json(&format!("backup {file}"), "");
            let path = place.path().join(&file);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let others = std::fs::read_dir(place.path()).unwrap().filter(|entry| {
                let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
                name.starts_with(&file) && name != file
            });
            assert_eq!(others.count(), 0);
            let restored = Place::new();
            restored.json(&format!("restore {}", path.display()), "");
            let second = restored.serve();
            assert!(honours(&second, &known) && honours(&second, &token));
        }
    });
    let twice = place.refused("backup backup-1.db", "", 1);
    assert!(twice.contains("none is overwritten"), "{twice}");
    server.stop();
}

#[test]
fn a_restore_replaces_nothing_that_it_should_not() {
    let place = Place::new();
    let server = place.serve();
    create_user(&place, "ann");
    place.json("backup good.db", "");
    create_user(&place, "bob");
    let database = place.path().join("data/doorward.db");
    let refused = |arguments: &str, part: &str| {
        let told = place.refused(arguments, "", 1);
        assert!(told.contains(part), "{arguments}: {told}");
        assert_eq!(place.json("user show bob", "")["username"], "bob");
        assert!(!place.path().join("data/doorward.db.restoring").exists());
    };
    refused("restore good.db", "give --force");
    refused("restore good.db --force", "stop the server first");
    assert!(server.ask("GET /health/ready", "", "").starts_with("HTTP/1.1 200"));
    server.stop();

    let whole = std::fs::read(place.path().join("good.db")).unwrap();
    let mut damaged = whole.clone();
    // Pages of tables and indexes, behind the one with the schema.
    damaged[8_192..65_536].fill(7);
    std::fs::write(place.path().join("damaged.db"), damaged).unwrap();
    std::fs::write(place.path().join("cut.db"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(place.path().join("text.db"), "no database, but longer than a page ".repeat(1_000)).unwrap();
    rusqlite::Connection::open(place.path().join("foreign.db")).unwrap().execute_batch("CREATE TABLE t (a TEXT)").unwrap();
    std::fs::copy(place.path().join("good.db"), place.path().join("future.db")).unwrap();
    let future = rusqlite::Connection::open(place.path().join("future.db")).unwrap();
    future.execute_batch("INSERT INTO schema_migrations (version, compatible_from) VALUES (1000, 1000)").unwrap();
    drop(future);
    refused("restore nowhere.db --force", "nowhere.db");
    refused("restore damaged.db --force", "damaged");
    refused("restore cut.db --force", "malformed");
    refused("restore text.db --force", "text.db");
    refused("restore foreign.db --force", "no schema");
    refused("restore future.db --force", "the database has schema 1000");

    let restored = place.json("restore good.db --force", "");
    let kept = place.path().join(restored["kept"].as_str().unwrap());
    assert!(place.refused("user show bob", "", 1).contains("no user bob"));
    assert_eq!(std::fs::metadata(&database).unwrap().permissions().mode() & 0o777, 0o600);
    let server = place.serve();
    server.sign_in("ann");
    server.stop();
    // What was there before is whole.
    assert_eq!(place.json(&format!("user show bob --database-url sqlite://{}", kept.display()), "")["username"], "bob");

    // A database beyond reading is what one has a backup for.
    std::fs::write(&database, "x".repeat(10_000)).unwrap();
    place.json("restore good.db --force", "");
    assert_eq!(place.json("user show ann", "")["username"], "ann");
}

#[test]
fn a_log_that_was_left_does_not_get_into_what_is_restored() {
    let place = Place::new();
    create_user(&place, "ann");
    place.json("backup good.db", "");
    let database = place.path().join("data/doorward.db");
    let kept = |ending: &str| {
        let names = std::fs::read_dir(place.path().join("data")).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().is_some_and(|name| name.contains(".until-") && name.ends_with(ending))).count()
    };
    // Killed while it was in use: what bob is made of is in the log alone.
    let server = place.serve();
    create_user(&place, "bob");
    drop(server);
    assert!(std::fs::metadata(beside(&database, "-wal")).unwrap().len() > 0);
    std::fs::write(beside(&database, "-journal"), "x".repeat(1_000)).unwrap();
    std::fs::remove_file(&database).unwrap();
    place.json("restore good.db", "");
    assert!(place.refused("user show bob", "", 1).contains("no user bob"));
    assert_eq!((kept("-wal"), kept("-journal")), (1, 1));
    assert_eq!(place.json("user show ann", "")["username"], "ann");
}

#[test]
fn postgresql_has_backup_tools_of_its_own() {
    let place = Place::new();
    for command in ["backup x.db", "restore x.db"] {
        let told = place.refused(&format!("{command} --database-url postgres://u@localhost/d"), "", 1);
        assert!(told.contains("pg_dump") && told.contains("pg_basebackup"), "{told}");
    }
}

#[tokio::test]
async fn migrate_says_what_it_would_do_and_does_it() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path()).await;
    let at = format!("--database-url {}", database.url());
    let planned = place.json(&format!("migrate --plan {at}"), "");
    assert_eq!((&planned["done"], &planned["current"]), (&false.into(), &0.into()));
    let steps = planned["steps"].as_array().unwrap().clone();
    assert_eq!(steps[0]["file"], "0001_initial.sql");
    if let Database::Sqlite(path) = &database {
        assert!(!path.exists());
    }
    let ran = place.json(&format!("migrate {at}"), "");
    assert_eq!((&ran["done"], &ran["steps"]), (&true.into(), &planned["steps"]));
    let newest = ran["newest"].clone();
    let after = place.json(&format!("migrate --plan {at}"), "");
    assert_eq!((&after["current"], after["steps"].as_array().unwrap().len()), (&newest, 0));

    // A later release has been here: one that this can work beside, then one that it cannot.
    let put =
        |version: u32, from: u32| format!("INSERT INTO schema_migrations (version, compatible_from) VALUES ({version}, {from})");
    database.execute(&put(1_000, 1)).await;
    assert_eq!(place.json(&format!("migrate --plan {at}"), "")["current"], 1_000);
    place.serve_with(&at, Stdio::null()).stop();
    database.execute(&put(1_001, 1_001)).await;
    let line =
        format!("the database has schema 1001, this release knows {newest}: start the release that made it, or a later one");
    for command in ["serve --listen 127.0.0.1:0", "user list", "migrate", "migrate --plan"] {
        let told = place.refused(&format!("{command} {at}"), "", 1);
        assert!(told.contains(&line), "{told}");
    }
}

#[tokio::test]
async fn a_plan_names_what_is_filled_in_afterwards() {
    let place = Place::new();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path()).await;
    let at = format!("--database-url {}", database.url());
    let backfills = |command: &str| place.json(&format!("{command} {at}"), "")["backfills"].clone();
    // An empty database has nothing to fill in.
    assert_eq!(backfills("migrate --plan"), json!([]));
    let id = "01a21f10-6e4c-7000-82ae-59ba58da2941";
    let user = format!("('{id}', 'ann', 'ann', 'ann@example.com', 'ann@example.com', '', '', 'member', 'active', 0)");
    database.batch(include_str!("../../../migrations/0001_initial.sql")).await;
    database
        .batch(&format!(
            "CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY); INSERT INTO schema_migrations VALUES (1);
            INSERT INTO users (id, username, username_key, email, email_key, first_name, last_name, role, status, created_at)
                VALUES {user};
            INSERT INTO passwords (user_id, phc, changed_at) VALUES ('{id}', 'x', 0)"
        ))
        .await;
    for command in ["migrate --plan", "migrate", "migrate --plan"] {
        assert_eq!(backfills(command), json!(["decoy_keys"]), "{command}");
    }
    database.execute("UPDATE passwords SET decoy_key = 'x'").await;
    assert_eq!(backfills("migrate --plan"), json!([]));
}

#[tokio::test]
async fn processes_that_open_one_new_database_at_once_all_find_it_open() {
    for _ in 0..4 {
        let place = Place::new();
        let database = Database::new(place.path()).await;
        let command = format!("migrate --json --database-url {}", database.url());
        let children: Vec<_> = (0..8).map(|_| place.command(&command).spawn().unwrap()).collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    format!("{}{ending}", path.display()).into()
}

/// What is there when a process is killed that copies a database into this file: half of it, and the journal of its transaction.
fn half_made(path: &Path, whole: &[u8]) {
    std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
    std::fs::write(beside(path, "-journal"), "x".repeat(1_000)).unwrap();
}

#[test]
fn what_a_killed_backup_or_restore_has_left_is_in_nobodys_way() {
    let place = Place::new();
    create_user(&place, "ann");
    place.json("backup first.db", "");
    let whole = std::fs::read(place.path().join("first.db")).unwrap();
    let (backup, database) = (place.path().join("good.db"), place.path().join("data/doorward.db"));
    half_made(&beside(&backup, ".partial"), &whole);
    // The lock that a backup holds; nobody holds it any longer.
    std::fs::write(beside(&backup, ".partial.lock"), "").unwrap();
    place.json("backup good.db", "");
    half_made(&beside(&database, ".restoring"), &whole);
    let left = beside(&database, ".restoring");
    assert!(place.refused(&format!("restore {} --force", left.display()), "", 1).contains("name the backup itself"));
    place.json("restore good.db --force", "");
    assert_eq!(place.json("user show ann", "")["username"], "ann");
    for path in [&backup, &database] {
        for ending in [".partial", ".partial.lock", ".partial-journal", ".restoring", ".restoring-journal", ".restoring.lock"] {
            assert!(!beside(path, ending).exists(), "{}{ending}", path.display());
        }
    }
}

#[test]
fn a_lock_is_a_plain_file_that_other_accounts_may_read() {
    let place = Place::new();
    let lock = place.path().join("data/doorward.db.lock");
    let migrate = format!("umask 077; exec {} migrate --json", env!("CARGO_BIN_EXE_doorward"));
    let run = std::process::Command::new("sh").args(["-c", &migrate]).current_dir(place.path()).env_clear().output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(std::fs::metadata(&lock).unwrap().permissions().mode() & 0o777, 0o644);

    std::fs::remove_file(&lock).unwrap();
    let (elsewhere, nowhere) = (place.path().join("elsewhere"), place.path().join("nowhere"));
    std::fs::write(&elsewhere, "").unwrap();
    for target in [&elsewhere, &nowhere] {
        std::os::unix::fs::symlink(target, &lock).unwrap();
        let told = place.refused("user list", "", 1);
        assert!(told.contains("doorward.db.lock: is no plain file; remove it"), "{told}");
        std::fs::remove_file(&lock).unwrap();
    }
    assert!(!nowhere.exists());
    let making = place.path().join("good.db.partial.lock");
    std::os::unix::fs::symlink(&elsewhere, &making).unwrap();
    assert!(place.refused("backup good.db", "", 1).contains("is no plain file"));
}

#[test]
fn a_backup_removes_nothing_that_it_has_not_left_itself() {
    let place = Place::new();
    create_user(&place, "ann");
    let partial = place.path().join("good.db.partial");
    std::fs::write(&partial, "somebody's").unwrap();
    assert!(place.refused("backup good.db", "", 1).contains("none is overwritten"));
    assert_eq!(std::fs::read_to_string(&partial).unwrap(), "somebody's");
    // As another backup into the same file has it, before it ends.
    let lock = std::fs::File::create(beside(&partial, ".lock")).unwrap();
    lock.lock().unwrap();
    assert!(place.refused("backup good.db", "", 1).contains("another process is at the same"));
    assert_eq!(std::fs::read_to_string(&partial).unwrap(), "somebody's");
    drop(lock);
    place.json("backup good.db", "");
    assert!(!partial.exists());
}

#[test]
fn a_restore_and_whoever_uses_the_database_keep_each_other_out() {
    let place = Place::new();
    create_user(&place, "ann");
    place.json("backup good.db", "");
    let lock = std::fs::File::open(place.path().join("data/doorward.db.lock")).unwrap();
    // As a restore has it.
    lock.lock().unwrap();
    for command in ["serve --listen 127.0.0.1:0", "user list", "migrate", "copy --to sqlite://copy.db", "backup other.db"] {
        let told = place.refused(command, "", 1);
        assert!(told.contains("`doorward restore` is putting a backup in its place; try again"), "{command}: {told}");
        assert!(!told.contains("name a file"), "{told}");
    }
    // As a server has it that is just starting, and has not opened the database yet, or not even made it.
    lock.unlock().unwrap();
    lock.lock_shared().unwrap();
    assert!(place.refused("restore good.db --force", "", 1).contains("stop the server first"));
    std::fs::remove_file(place.path().join("data/doorward.db")).unwrap();
    assert!(place.refused("restore good.db", "", 1).contains("stop the server first"));
    assert!(!place.path().join("data/doorward.db").exists());
    drop(lock);
    place.json("restore good.db", "");
    assert_eq!(place.json("user show ann", "")["username"], "ann");
}
