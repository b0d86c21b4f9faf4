//! The first start: the link that creates the first administrator.

use std::sync::Arc;
use std::time::Duration;

use doorward::core::call::{Call, Origin};
use doorward::core::flows::setup::{self, FirstAdministrator, Setup};
use doorward::core::model::{Email, PersonName, Role, User, Username};
use doorward::core::token::Secret;
use doorward::core::{Error, Refusal};

use super::app::{PASSWORD, TestApp};
use super::races::CALLERS;

/// The secret of the link of a first start.
pub(crate) async fn offered(app: &TestApp) -> Secret {
    let Setup::Link(link) = setup::offer(app.core(), &app.call()).await.unwrap() else { panic!("no link") };
    let secret = link.reveal().strip_prefix("http://localhost:8080/setup?token=").unwrap();
    Secret::new(secret)
}

fn first(name: &str, password: &str) -> FirstAdministrator {
    FirstAdministrator {
        username: Username::parse(name).unwrap(),
        email: Email::parse(&format!("{name}@example.com")).unwrap(),
        first_name: PersonName::default(),
        last_name: PersonName::default(),
        password: Secret::new(password),
    }
}

async fn complete(app: &TestApp, secret: &Secret, name: &str) -> Result<User, Refusal> {
    refusal(setup::complete(app.core(), &app.call(), secret, first(name, PASSWORD)).await)
}

fn refusal<T>(outcome: Result<T, Error>) -> Result<T, Refusal> {
    outcome.map_err(|error| match error {
        Error::Refused(refusal) => refusal,
        Error::Faulted(fault) => panic!("{fault}"),
    })
}

#[tokio::test]
async fn the_link_makes_an_administrator_once() {
    let app = TestApp::new().await;
    let secret = offered(&app).await;
    refusal(setup::inspect(app.core(), &app.call(), &secret).await).unwrap();
    refusal(setup::inspect(app.core(), &app.call(), &secret).await).expect("looking spends nothing");
    let weak = refusal(setup::complete(app.core(), &app.call(), &secret, first("root", "password1")).await);
    assert!(matches!(weak, Err(Refusal::PasswordRejected(_))), "and neither does a password that is not good enough");
    let root = complete(&app, &secret, "root").await.unwrap();
    assert_eq!((root.role, root.email_verified_at), (Role::Admin, None));
    assert_eq!(complete(&app, &secret, "again").await.unwrap_err(), Refusal::TicketInvalid);
    assert_eq!(refusal(setup::inspect(app.core(), &app.call(), &secret).await), Err(Refusal::TicketInvalid));
    assert!(matches!(setup::offer(app.core(), &app.call()).await.unwrap(), Setup::Done));
    let token = app.token("root").await;
    app.send(super::reply::Ask::get("/admin/v1/users").bearer(&token)).await.expect(200);
    insta::assert_snapshot!(app.audit().await.join("\n"), @"
    setup_offered ok
    setup_completed password_rejected
    setup_completed ok
    user_created ok
    setup_completed invalid_code
    setup_completed invalid_code
    sign_in ok
    ");
}

#[tokio::test]
async fn the_link_is_good_for_an_hour_and_is_not_shown_again_meanwhile() {
    let app = TestApp::new().await;
    let secret = offered(&app).await;
    let until = app.now().after(Duration::from_secs(60 * 60));
    app.advance(Duration::from_secs(59 * 60));
    let app = app.restarted().await;
    let Setup::Shown(told) = setup::offer(app.core(), &app.call()).await.unwrap() else { panic!("shown twice") };
    assert_eq!(told, until);
    refusal(setup::inspect(app.core(), &app.call(), &secret).await).expect("a restart does not spend it");
    app.advance(Duration::from_secs(60));
    assert_eq!(complete(&app, &secret, "late").await.unwrap_err(), Refusal::TicketInvalid);
    let another = offered(&app).await;
    assert_ne!(another.reveal(), secret.reveal());
    assert_eq!(complete(&app, &secret, "late").await.unwrap_err(), Refusal::TicketInvalid);
    complete(&app, &another, "root").await.unwrap();
}

#[tokio::test]
async fn whoever_creates_a_user_in_another_way_ends_it() {
    let app = TestApp::new().await;
    let secret = offered(&app).await;
    app.user("ann").await;
    assert_eq!(complete(&app, &secret, "root").await.unwrap_err(), Refusal::TicketInvalid);
    assert!(matches!(setup::offer(app.core(), &app.call()).await.unwrap(), Setup::Done));
    let app = TestApp::new().await;
    app.user("ann").await;
    assert!(matches!(setup::offer(app.core(), &app.call()).await.unwrap(), Setup::Done), "nor is one made where there are users");
}

#[tokio::test]
async fn guesses_at_the_link_are_limited() {
    let app = TestApp::limited(&[("limits.signin_network.burst", "3")]).await;
    offered(&app).await;
    let mut call: Call = app.call();
    call.origin = Origin { address: Some("192.0.2.7".parse().unwrap()), ..Origin::local("pages", "test") };
    let guess = || setup::inspect(app.core(), &call, &GUESS);
    for _ in 0..3 {
        assert_eq!(refusal(guess().await), Err(Refusal::TicketInvalid));
    }
    assert!(matches!(refusal(guess().await), Err(Refusal::TooManyAttempts { .. })));
}

static GUESS: std::sync::LazyLock<Secret> = std::sync::LazyLock::new(|| Secret::new("A".repeat(43)));

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_start_gets_the_link_and_one_caller_the_administrator() {
    let app = Arc::new(TestApp::new().await);
    let other = Arc::new(app.second_node().await);
    let mut starts = tokio::task::JoinSet::new();
    for place in 0..CALLERS {
        let app = Arc::clone(if place % 2 == 0 { &app } else { &other });
        starts.spawn(async move { setup::offer(app.core(), &app.call()).await.unwrap() });
    }
    let links = starts.join_all().await.into_iter().filter_map(|setup| match setup {
        Setup::Link(link) => Some(link),
        Setup::Shown(_) | Setup::Done => None,
    });
    let links: Vec<_> = links.collect();
    assert_eq!(links.len(), 1);
    let secret = Secret::new(links[0].reveal().rsplit('=').next().unwrap());

    let mut callers = tokio::task::JoinSet::new();
    for place in 0..CALLERS {
        let app = Arc::clone(if place % 2 == 0 { &app } else { &other });
        let secret = secret.clone();
        callers.spawn(async move { complete(&app, &secret, &format!("root{place}")).await });
    }
    let outcomes = callers.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    assert_eq!(app.database().value("SELECT count(*) FROM users").await, "1");
}
