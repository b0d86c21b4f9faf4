//! A revoked application: all that it opened is over at once, whatever rows are still to be deleted.

use std::time::Duration;

use doorward::core::flows::authority::Authority;
use doorward::core::flows::session::{Claim, Presented};
use doorward::core::flows::{application_sign_in, applications, sessions};
use doorward::core::model::{Identifier, Page, SessionId};
use doorward::core::token::Secret;
use doorward::core::{Error, Refusal, Result};
use serde_json::json;

use super::app::{Application, PASSWORD, TestApp};
use super::reply::Ask;
use super::wires;

const OPERATOR: Authority = Authority::operator();
/// More than the time of a revocation is enough for, which [`HASTY`] bounds: it pauses after each two hundred.
const MANY: u32 = 20_000;
const HASTY: (&str, &str) = ("request_timeout", "4s");

async fn revoke(app: &TestApp, application: &Application) {
    applications::revoke(app.core(), &app.call(), OPERATOR, application.0.application.id).await.unwrap();
}

/// Copies a session so many times, behind the server's back: newer than any, opened by tokens that nobody has.
async fn multiply(app: &TestApp, session: &str, times: u32) {
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {times})
         INSERT INTO sessions (id, token_hash, user_id, application_id, half, factors, dialect, created_at, authenticated_at, last_seen_at,
             idle_expires_at, expires_at)
         SELECT '01ffffff-ffff-7000-8000-' || CAST(100000000000 + i AS TEXT), 'of nobody ' || CAST(i AS TEXT), user_id, application_id, half,
             factors, dialect, created_at, authenticated_at, last_seen_at, idle_expires_at, expires_at
         FROM sessions CROSS JOIN n WHERE id = '{session}'"
    );
    assert_eq!(app.database().execute(&sql).await, u64::from(times));
}

/// Rows of a table that hang on an application.
async fn rows(app: &TestApp, table: &str, application: &Application) -> u32 {
    let id = application.0.application.id;
    app.database().value(&format!("SELECT COUNT(*) FROM {table} WHERE application_id = '{id}'")).await.parse().unwrap()
}

/// Revokes, and puts back what that has deleted: as when there was no time for it, or as a node of an older release has written it since.
async fn revoke_and_leave_rows(app: &TestApp, application: &Application) {
    let (database, id) = (app.database(), application.0.application.id);
    for table in ["sessions", "tickets"] {
        database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table} WHERE application_id = '{id}'")).await;
    }
    revoke(app, application).await;
    for table in ["sessions", "tickets"] {
        let missing = format!("SELECT * FROM kept_{table} WHERE id NOT IN (SELECT id FROM {table})");
        database.execute(&format!("INSERT INTO {table} {missing}")).await;
        database.execute(&format!("DROP TABLE kept_{table}")).await;
    }
}

fn presented(token: &str) -> Presented {
    Presented::token(token, Claim::None)
}

async fn session_id(app: &TestApp, token: &str) -> SessionId {
    app.session(token).await.expect(200).at("/session/id").parse().unwrap()
}

/// The sessions that are listed as live: of all users, page by page.
async fn listed(app: &TestApp) -> Vec<SessionId> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = Page::new(after, Some(200));
        let found = sessions::list(app.core(), &app.call(), OPERATOR, None, page).await.unwrap();
        listed.extend(found.items.iter().map(|session| session.id));
        match found.next {
            Some(next) => after = Some(next),
            None => return listed,
        }
    }
}

fn refused<T>(outcome: Result<T>) -> Option<&'static str> {
    match outcome {
        Err(Error::Refused(refusal)) => Some(refusal.name()),
        Err(Error::Faulted(fault)) => panic!("{fault}"),
        Ok(_) => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoking_ends_more_sessions_at_once_than_it_has_time_to_delete() {
    let app = TestApp::with(&[HASTY]).await;
    app.user("ann").await;
    app.user("bob").await;
    let (program, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let first = session_id(&app, &program.token(&app, "bob").await).await;
    multiply(&app, &first.to_string(), MANY).await;
    let (token, others, own) = (program.token(&app, "ann").await, other.token(&app, "ann").await, app.token("ann").await);
    let live = [session_id(&app, &others).await, session_id(&app, &own).await];
    app.session(&token).await.expect(200);
    assert_eq!(listed(&app).await.len(), MANY as usize + 4);

    revoke(&app, &program).await;
    assert_eq!(
        refused(applications::revoke(app.core(), &app.call(), OPERATOR, program.0.application.id).await),
        Some("not_found")
    );
    let left = rows(&app, "sessions", &program).await;
    assert!(left > 0, "all could be deleted: this proves nothing");
    assert!(!wires::is_full_everywhere(&app, &token).await.contains(&true));
    app.send(wires::kotak_sign_out(&program, "ann", &token)).await.expect(401);
    let mut listed = listed(&app).await;
    listed.sort_unstable();
    assert_eq!(listed, live);

    // Whoever runs next deletes the rest, and nobody else's.
    let app = app.restarted().await;
    app.session(&token).await.expect(401);
    app.sweep().await;
    assert_eq!(rows(&app, "sessions", &program).await, 0);
    app.session(&others).await.expect(200);
    app.session(&own).await.expect(200);
    let log = app.audit().await;
    assert_eq!(log.iter().filter(|line| *line == "application_revoked ok").count(), 1);
    assert!(!log.iter().any(|line| line.starts_with("sessions_ended")));
}

#[tokio::test]
async fn a_session_of_a_revoked_application_is_none_whatever_is_done_with_it() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (program, other) = (app.application(false, &[]).await, app.application(false, &[]).await);
    let (token, others, own) = (program.token(&app, "ann").await, other.token(&app, "ann").await, app.token("ann").await);
    let dead = session_id(&app, &token).await;
    multiply(&app, &dead.to_string(), 100).await;
    revoke_and_leave_rows(&app, &program).await;
    assert_eq!(rows(&app, "sessions", &program).await, 101);

    assert!(!wires::is_full_everywhere(&app, &token).await.contains(&true));
    for (name, ask) in wires::sign_outs(&token, &ann.id.to_string()) {
        assert!(app.send(ask).await.status.is_client_error(), "{name}");
    }
    let own_list = app.send(Ask::get("/auth/v1/sessions?limit=200").bearer(&own)).await.expect(200).json();
    assert_eq!(own_list["items"].as_array().unwrap().len(), 2);
    let page = Page::new(None, Some(200));
    let of_user = sessions::list(app.core(), &app.call(), OPERATOR, Some(ann.id), page).await.unwrap();
    let short = sessions::list(app.core(), &app.call(), OPERATOR, Some(ann.id), Page::new(None, Some(1))).await.unwrap();
    assert_eq!((short.items.len(), short.next.is_some()), (1, true), "what has ended takes no place on a user's page");
    assert_eq!(of_user.items.len(), 2);
    assert_eq!(listed(&app).await.len(), 2);
    let (core, call) = (app.core(), app.call());
    assert_eq!(refused(sessions::end(core, &call, OPERATOR, dead).await), Some("not_found"));
    assert_eq!(refused(sessions::end_of(core, &call, OPERATOR, ann.id, dead).await), Some("not_found"));
    assert_eq!(refused(sessions::end_own(core, &call, &presented(&own), dead).await), Some("not_found"));
    // It does not end a second time when its user signs in over it.
    let body = json!({"identifier": "ann", "password": PASSWORD});
    app.send(Ask::post("/auth/v1/sign-in/password").cookie("doorward", &token).json(&body)).await.expect(200);
    assert!(!app.audit().await.iter().any(|line| line.starts_with("sessions_ended") || line.starts_with("sign_out ")));
    // Of what ends now, only what was there is counted: that sign-in, and the session of the other application.
    assert_eq!(sessions::end_others(core, &call, &presented(&own)).await.unwrap(), 2);
    assert_eq!(rows(&app, "sessions", &program).await + rows(&app, "sessions", &other).await, 0);
    app.session(&others).await.expect(401);
    app.session(&own).await.expect(200);
}

#[tokio::test]
async fn a_sign_in_that_a_revoked_application_has_begun_opens_nothing_though_its_ticket_stands() {
    let app = TestApp::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let program = app.application(true, &[]).await;
    let with_code = program.login(&app, "ann", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    let code = app.code("ann@example.com").await;
    let alone = program.login(&app, "bob", PASSWORD).await.expect(200).at("/Success/oneTimeToken");
    revoke_and_leave_rows(&app, &program).await;
    assert_eq!(rows(&app, "tickets", &program).await, 2);

    // As calls that were under way, their credentials checked, when it was revoked.
    let application = &program.0.application;
    for (name, token, code) in
        [("ann", &with_code, Some(Secret::new(code.as_str()))), ("ann", &with_code, None), ("bob", &alone, None)]
    {
        let (named, token) = ([Identifier::any(name)], Secret::new(token.as_str()));
        let finished = application_sign_in::finish(app.core(), &app.call(), application, &named, &token, code.as_ref()).await;
        assert_eq!(refused(finished), Some(Refusal::TicketInvalid.name()), "{name}");
    }
    // Nobody needs a code for it any more.
    assert!(app.mails("bob@example.com").await.is_empty());
    // One that began then is worth as little.
    let (call, bob, password) = (app.call(), [Identifier::any("bob")], Secret::new(PASSWORD));
    let begun = application_sign_in::begin(app.core(), &call, application, &bob[0], &password).await.unwrap();
    let finished = application_sign_in::finish(app.core(), &call, application, &bob, &begun.one_time_token, None).await;
    assert_eq!(refused(finished), Some(Refusal::TicketInvalid.name()));
    assert_eq!(rows(&app, "sessions", &program).await, 0);
    app.sweep().await;
    assert_eq!(rows(&app, "tickets", &program).await, 0);
}

#[tokio::test]
async fn the_sweep_deletes_what_every_revoked_application_has_left() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut programs = Vec::new();
    for _ in 0..3 {
        let program = app.application(false, &[]).await;
        program.token(&app, "ann").await;
        // Longer than tickets live: they are not what is in question here.
        app.advance(Duration::from_secs(600));
        programs.push(program);
    }
    let [first, second, live] = &programs[..] else { panic!("three") };
    for program in [first, second] {
        revoke_and_leave_rows(&app, program).await;
    }
    app.sweep().await;
    for (program, left) in [(first, 0), (second, 0), (live, 1)] {
        assert_eq!(rows(&app, "sessions", program).await, left);
    }
}
