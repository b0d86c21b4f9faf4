//! Passwords: length, Unicode, cost.

use doorward::core::flows::session::Authority;
use doorward::core::flows::users;
use doorward::core::token::Secret;

use super::app::TestApp;

async fn set(app: &TestApp, password: &str) -> Result<(), doorward::core::Error> {
    let (core, call) = (app.core(), app.call());
    users::set_password(core, &call, Authority::operator(), "ann", &Secret::new(password)).await.map(drop)
}

#[tokio::test]
async fn any_unicode_from_8_to_256_characters() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let long: String = (0..256).map(|n| char::from_u32(0x4e00 + n * 7).unwrap()).collect();
    let longer = format!("{long}x");
    for fine in ["gr\u{fc}n-Dackel-Wolke", "пароль из слов 42", "🐘 eats 🥨 at noon", "tab\tand nul\0 inside", &long]
    {
        set(&app, fine).await.unwrap_or_else(|error| panic!("{fine:?}: {error:?}"));
        app.sign_in("ann", fine).await.expect(200);
        app.sign_in("ann", &format!("{fine}!")).await.expect(401);
    }
    for wrong in ["", "Xk9#q2!", &longer, "password123", "ann@example.com1", "aaaaaaaaaaaaaaaa"] {
        assert!(set(&app, wrong).await.is_err(), "{wrong:?}");
    }
}

#[tokio::test]
async fn composed_and_decomposed_are_one_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    set(&app, "cafe\u{301} at the corner 8").await.unwrap();
    app.sign_in("ann", "caf\u{e9} at the corner 8").await.expect(200);
    // But not what merely looks alike (NFKC), nor another case.
    app.sign_in("ann", "ｃaf\u{e9} at the corner 8").await.expect(401);
    app.sign_in("ann", "Caf\u{e9} at the corner 8").await.expect(401);
}

#[tokio::test]
async fn a_sign_in_upgrades_a_hash_when_the_setting_has_grown() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let phc = |app: &TestApp| -> String {
        let database = rusqlite::Connection::open(app.folder().join("doorward.db")).unwrap();
        database.query_row("SELECT phc FROM passwords", [], |row| row.get(0)).unwrap()
    };
    let before = phc(&app);
    assert!(before.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{before}");
    app.sign_in("ann", super::app::PASSWORD).await.expect(200);
    assert_eq!(phc(&app), before);
    let grown = app.reconfigured(&[("passwords.iterations", "2")]).await;
    grown.sign_in("ann", super::app::OTHER_PASSWORD).await.expect(401);
    assert_eq!(phc(&grown), before);
    grown.sign_in("ann", super::app::PASSWORD).await.expect(200);
    let after = phc(&grown);
    assert!(after.starts_with("$argon2id$v=19$m=64,t=2,p=1$"), "{after}");
    grown.sign_in("ann", super::app::PASSWORD).await.expect(200);
    // A cheaper setting does not weaken what is there.
    let shrunk = grown.reconfigured(&[("passwords.iterations", "1")]).await;
    shrunk.sign_in("ann", super::app::PASSWORD).await.expect(200);
    assert_eq!(phc(&shrunk), after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_too_many_wait_to_hash_the_next_is_told_so_and_checks_go_on() {
    let settings = [("passwords.queue", "1"), ("passwords.threads", "1"), ("passwords.memory_kib", "65536")];
    let app = std::sync::Arc::new(TestApp::with(&settings).await);
    app.user("ann").await;
    let token = app.token("ann").await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let app = std::sync::Arc::clone(&app);
        callers.spawn(async move { app.sign_in("ann", super::app::PASSWORD).await });
    }
    let mut refused = 0;
    while let Some(reply) = callers.join_next().await {
        let reply = reply.unwrap();
        match reply.status.as_u16() {
            200 => {}
            503 => {
                assert!(reply.headers.contains_key("retry-after"));
                refused += 1;
            }
            _ => panic!("{}", reply.snapshot()),
        }
        app.session(&token).await.expect(200);
    }
    assert!(refused > 0);
    app.sign_in("ann", super::app::PASSWORD).await.expect(200);
}
