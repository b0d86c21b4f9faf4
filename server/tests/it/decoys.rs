//! Names that nobody has are compared at the cost of a stored hash, and hashes of before learn their places.
//!
//! Which hash a name borrows from is seen by a hash that asks for more than is ever computed: a fault, for whoever meets it.

use std::collections::BTreeSet;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::backfill::{self, Backfill};
use doorward::core::flows::users::{self, NewUser};
use doorward::core::model::{Email, PersonName, Role, Username};
use doorward::core::token::Secret;
use doorward::work;
use tokio::sync::watch;

use super::app::{OTHER_PASSWORD, PASSWORD, TestApp};
use super::database::{Database, Row};
use super::wires::Wire;

/// Names that nobody has, but for one with an account without a password.
const NAMES: usize = 300;
const ABSURD: &str = "$argon2id$v=19$m=1048577,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Makes the hashes of these users absurd.
async fn spoil(app: &TestApp, names: &[String]) {
    for name in names {
        let user = format!("SELECT id FROM users WHERE username = '{name}'");
        let set = format!("UPDATE passwords SET phc = '{ABSURD}' WHERE user_id = ({user})");
        assert_eq!(app.database().execute(&set).await, 1);
    }
}

async fn status(app: &TestApp, name: &str) -> u16 {
    app.sign_in(name, OTHER_PASSWORD).await.status.as_u16()
}

/// Of these names, those that borrow from an absurd hash.
async fn borrowing(app: &TestApp) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for name in 0..NAMES {
        match status(app, &format!("nobody{name}")).await {
            500 => drop(found.insert(name)),
            401 => {}
            other => panic!("{other}"),
        }
    }
    found
}

/// The places of all hashes, and whether each is absurd, in their order on the ring.
async fn ring(app: &TestApp) -> Vec<(u128, bool)> {
    let rows = app.database().rows("SELECT decoy_key, phc FROM passwords ORDER BY decoy_key").await;
    let read = |mut row: Row| {
        let [phc, place] = [(); 2].map(|()| row.pop().unwrap().1.unwrap());
        assert_eq!(place.len(), 32);
        (u128::from_str_radix(&place, 16).unwrap(), phc == ABSURD)
    };
    rows.into_iter().map(read).collect()
}

/// The part of the ring from which names go to an absurd hash.
fn share(ring: &[(u128, bool)]) -> f64 {
    let before = ring.iter().rev().take(1).chain(ring).map(|(place, _)| *place);
    let arcs = ring.iter().zip(before).filter(|((_, absurd), _)| *absurd);
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    arcs.map(|((place, _), before)| place.wrapping_sub(before) as f64 / 2_f64.powi(128)).sum()
}

async fn crowd() -> (TestApp, Vec<String>) {
    let app = TestApp::new().await;
    let names: Vec<String> = (0..16).map(|n| format!("user{n}")).collect();
    for name in &names {
        app.user(name).await;
    }
    (app, names)
}

#[tokio::test]
async fn names_of_nobody_borrow_from_stored_hashes_as_these_are_spread_and_always_from_the_same() {
    let (app, names) = crowd().await;
    assert!(borrowing(&app).await.is_empty());
    spoil(&app, &names[..8]).await;
    let (found, share) = (borrowing(&app).await, share(&ring(&app).await));
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let observed = found.len() as f64 / NAMES as f64;
    assert!(share > 0.2 && share < 0.8, "{share}: of no use to the test");
    assert!((observed - share).abs() < 0.1, "{observed} for {share}");

    // The same after a restart, on another node, in every dialect, by whatever form of the name.
    let app = app.restarted().await;
    assert_eq!(borrowing(&app).await, found);
    assert_eq!(borrowing(&app.second_node().await).await, found);
    for name in 0..20 {
        let expected = status(&app, &format!("nobody{name}@example.com")).await;
        for wire in Wire::ALL {
            let reply = app.send(wire.sign_in(&format!("nobody{name}"), OTHER_PASSWORD)).await.status.as_u16();
            assert_eq!(reply == 500, expected == 500, "{wire:?} {name}");
        }
        assert_eq!(status(&app, &format!(" NOBODY{name}@Example.com")).await, expected, "{name}");
    }
    // Users have a hash of their own, and codes are made at the cost of the day.
    for name in &names[8..] {
        app.sign_in(name, PASSWORD).await.expect(200);
    }
    for name in 0..20 {
        let code = super::reply::Ask::post("/auth/v1/sign-in/code");
        let code = code.json(&serde_json::json!({"email": format!("nobody{name}@example.com"), "code": "AAAA22"}));
        app.send(code).await.expect(401);
    }
}

#[tokio::test]
async fn a_user_without_a_password_borrows_like_nobody() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let new = NewUser {
        username: Username::parse("bob").unwrap(),
        email: Email::parse("bob@example.com").unwrap(),
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        role: Role::Member,
        verified: true,
        password: None,
    };
    users::create(app.core(), &app.call(), Authority::operator(), new).await.unwrap();
    assert_eq!((status(&app, "bob").await, status(&app, "nobody").await), (401, 401));
    spoil(&app, &["ann".to_owned()]).await;
    assert_eq!((status(&app, "bob").await, status(&app, "nobody").await), (500, 500));
    // Without any hash there is nothing to borrow, and a new one's cost is everybody's.
    app.database().execute("DELETE FROM passwords").await;
    assert_eq!((status(&app, "bob").await, status(&app, "ann").await, status(&app, "nobody").await), (401, 401, 401));
}

#[tokio::test]
async fn a_hash_keeps_its_place_whatever_becomes_of_it() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let before = ring(&app).await;
    let app = app.reconfigured(&[("passwords.iterations", "2")]).await;
    app.sign_in("ann", PASSWORD).await.expect(200);
    assert!(app.database().value("SELECT phc FROM passwords").await.contains("t=2"));
    assert_eq!(ring(&app).await, before);
    users::set_password(app.core(), &app.call(), Authority::operator(), "ann", &Secret::new(OTHER_PASSWORD)).await.unwrap();
    assert_eq!(ring(&app).await, before);
}

/// Adds users as the release before this one does, into the schema that it knows.
async fn of_schema_1(database: &Database, users: usize) {
    let columns = "id, username, username_key, email, email_key, first_name, last_name, role, status, created_at";
    let insert = |n: usize| {
        let (id, name) = (format!("00000000-0000-7000-8000-{n:012}"), format!("old{n}"));
        let names = format!("'{name}', '{name}', '{name}@example.com', '{name}@example.com'");
        format!(
            "INSERT INTO users ({columns}) VALUES ('{id}', {names}, '', '', 'member', 'active', 0);
            INSERT INTO passwords (user_id, phc, changed_at) VALUES ('{id}', '{ABSURD}', 0);"
        )
    };
    database.batch(&(0..users).map(insert).collect::<String>()).await;
}

async fn without_place(app: &TestApp) -> usize {
    app.database().value("SELECT count(*) FROM passwords WHERE decoy_key IS NULL").await.parse().unwrap()
}

async fn batch(app: &TestApp) -> bool {
    backfill::batch(app.core(), &app.call(), Backfill::DecoyKeys).await.unwrap()
}

#[tokio::test]
async fn hashes_of_an_older_release_get_their_places_in_batches_and_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::new(folder.path()).await;
    database.batch(include_str!("../../../migrations/0001_initial.sql")).await;
    database.batch("CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY)").await;
    database.batch("INSERT INTO schema_migrations VALUES (1)").await;
    of_schema_1(&database, 1300).await;

    let app = TestApp::on(folder, database).await;
    assert_eq!(without_place(&app).await, 1300);
    assert_eq!(status(&app, "nobody").await, 401, "nothing to borrow from yet");
    assert!(batch(&app).await);
    assert_eq!(without_place(&app).await, 800);
    assert_eq!(status(&app, "nobody").await, 500);
    let places: BTreeSet<u128> = with_places(&app).await;

    // The loop ends after the batch in hand when the server stops, and the next start goes on.
    let (_stop, stopped) = watch::channel(true);
    work::backfill::run(app.core().clone(), app.desk.clone(), stopped.clone()).await;
    assert_eq!(without_place(&app).await, 300);
    let app = app.restarted().await;
    work::backfill::run(app.core().clone(), app.desk.clone(), stopped.clone()).await;
    assert_eq!((without_place(&app).await, with_places(&app).await.len()), (0, 1300));
    assert!(with_places(&app).await.is_superset(&places), "a place is never changed");
    assert!(!batch(&app).await);

    // An older release that runs beside this one goes on writing.
    app.database().execute("UPDATE passwords SET decoy_key = NULL WHERE user_id LIKE '%7'").await;
    assert_eq!(without_place(&app).await, 130);
    work::backfill::run(app.core().clone(), app.desk.clone(), stopped).await;
    assert_eq!(without_place(&app).await, 0);
}

async fn with_places(app: &TestApp) -> BTreeSet<u128> {
    let rows = app.database().rows("SELECT decoy_key FROM passwords WHERE decoy_key IS NOT NULL").await;
    rows.into_iter().map(|mut row| u128::from_str_radix(&row.remove(0).1.unwrap(), 16).unwrap()).collect()
}

#[tokio::test]
async fn two_nodes_fill_the_same_rows_once() {
    let (app, _) = crowd().await;
    app.database().execute("UPDATE passwords SET decoy_key = NULL").await;
    let other = app.second_node().await;
    let (first, second) = tokio::join!(batch(&app), batch(&other));
    assert!(!first && !second);
    assert_eq!((without_place(&app).await, with_places(&app).await.len()), (0, 16));
}
