//! The console for administrators: who gets in, what each act does, and what of it is on record.

use std::time::Duration;

use axum::http::header;
use doorward::core::model::Role;

use super::app::{ORIGIN, PASSWORD, TestApp};
use super::authenticator::Authenticator;
use super::browser::{Browser, form, html, value_of, words};
use super::flow_totp;
use super::reply::{Ask, Reply};

/// An id that nothing has.
const NOBODY: &str = "0197b3a0-0000-7000-8000-000000000001";

/// Every page.
const PAGES: &[&str] = &[
    "/admin",
    "/admin/users",
    "/admin/users?search=a",
    "/admin/users/0197b3a0-0000-7000-8000-000000000001",
    "/admin/invitations",
    "/admin/applications",
    "/admin/applications/0197b3a0-0000-7000-8000-000000000001/networks",
    "/admin/mail",
    "/admin/mail/0197b3a0-0000-7000-8000-000000000001",
    "/admin/mail/0197b3a0-0000-7000-8000-000000000001/html",
    "/admin/audit",
    "/admin/audit.csv",
    "/admin/settings",
];

/// Every act, with fields that it reads.
pub(crate) const ACTS: &[(&str, &[(&str, &str)])] = &[
    ("/admin/users/ID/disable", &[]),
    ("/admin/users/ID/enable", &[]),
    ("/admin/users/ID/recovery", &[]),
    ("/admin/users/ID/keys/ID/remove", &[]),
    ("/admin/users/ID/app/remove", &[]),
    ("/admin/users/ID/sessions/end", &[]),
    ("/admin/users/ID/sessions/ID/end", &[]),
    ("/admin/invitations", &[("email", "new@example.com"), ("role", "admin"), ("days", "")]),
    ("/admin/invitations/ID/reissue", &[]),
    ("/admin/invitations/ID/revoke", &[]),
    ("/admin/applications", &[("name", "Terminal"), ("networks", ""), ("suffices", "no")]),
    ("/admin/applications/ID/rotate", &[]),
    ("/admin/applications/ID/networks", &[("networks", "")]),
    ("/admin/applications/ID/revoke", &[]),
    ("/admin/mail/ID/retry", &[]),
];

fn place(reply: &Reply) -> &str {
    reply.headers[header::LOCATION].to_str().unwrap()
}

/// The audit log since `before`, without sign-ins.
async fn since(app: &TestApp, before: &[String]) -> Vec<String> {
    app.audit().await.split_off(before.len())
}

async fn administrator(app: &TestApp) -> Browser<'_> {
    app.create("root", Role::Admin, true).await;
    Browser::signed_in(app, "root").await
}

#[tokio::test]
async fn nobody_but_administrators_finds_anything() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut member = Browser::signed_in(&app, "ann").await;
    let mut stranger = Browser::new(&app).await;
    let before = app.audit().await;
    for path in PAGES {
        let page = member.open(path).await.expect(404);
        assert!(words(&page).contains("There is no such page"), "{path}: {}", words(&page));
        assert!(!html(&page).contains("href=\"/admin"), "{path}");
        assert!(place(&stranger.open(path).await.expect(303)).starts_with("/sign-in?return_to=%2Fadmin"), "{path}");
    }
    for (path, fields) in ACTS {
        let path = path.replace("ID", NOBODY);
        let page = member.send(&path, fields).await.expect(404);
        assert!(words(&page).contains("There is no such page"), "{path}");
        assert!(place(&app.send(form(&path, fields)).await.expect(303)).starts_with("/sign-in?return_to=%2Fadmin"), "{path}");
    }
    let told = since(&app, &before).await;
    assert!(told.iter().all(|line| line == "administration_refused not_permitted"), "{told:?}");
    assert_eq!(told.len(), PAGES.len() + ACTS.len());
}

#[tokio::test]
async fn an_administrator_finds_a_user_and_acts_on_them() {
    let app = TestApp::new().await;
    let (ann, mut key) = app.user_with_key("ann").await;
    app.token_with_key("ann", &mut key).await;
    app.user("bob").await;
    let mut browser = administrator(&app).await;
    let list = browser.open("/admin/users").await.expect(200);
    assert!(words(&list).contains("bob@example.com") && html(&list).contains("aria-current"), "{}", words(&list));
    let found = browser.open("/admin/users?search=AN").await.expect(200);
    assert!(words(&found).contains("ann@example.com") && !words(&found).contains("bob@example.com"));
    assert!(words(&browser.open("/admin/users?search=nobody").await.expect(200)).contains("Nobody is found."));

    let home = format!("/admin/users/{}", ann.id);
    let page = browser.open(&home).await.expect(200);
    let told = words(&page);
    assert!(told.contains("ann@example.com") && told.contains("Security key added\nDone\n"), "{told}");
    let text = html(&page);
    let key = text.split(&format!("{home}/keys/")).nth(1).unwrap().split('/').next().unwrap().to_owned();
    let session = text.split(&format!("{home}/sessions/")).nth(1).unwrap().split('/').next().unwrap().to_owned();
    for (act, said, recorded) in [
        (format!("sessions/{session}/end"), "The session is ended.", "sessions_ended ok"),
        (format!("keys/{key}/remove"), "The security key is removed.", "key_removed ok"),
        ("sessions/end".to_owned(), "All sessions of the account are ended.", "sessions_ended ok"),
        ("recovery".to_owned(), "A link to set a new password is on its way.", "recovery_sent ok"),
        ("disable".to_owned(), "The account is disabled", "user_disabled ok"),
        ("enable".to_owned(), "The account is enabled.", "user_enabled ok"),
    ] {
        let before = app.audit().await;
        let done = browser.send(&format!("{home}/{act}"), &[]).await.expect(303);
        assert_eq!(place(&done), home, "{act}");
        let told = words(&browser.follow(&done).await.expect(200));
        assert!(told.contains(said), "{act}: {told}");
        assert_eq!(since(&app, &before).await, [recorded], "{act}");
        if act == "recovery" {
            assert!(!app.query("ann@example.com", "code").await.is_empty());
        }
    }
    // What is somebody else's is not ended from here, nor is anything of nobody.
    let token = app.token("bob").await;
    let foreign = app.session(&token).await.expect(200).at("/session/id");
    let before = app.audit().await;
    browser.send(&format!("{home}/sessions/{foreign}/end"), &[]).await.expect(303);
    browser.send(&format!("/admin/users/{NOBODY}/sessions/end"), &[]).await.expect(404);
    assert_eq!(app.audit().await, before);
    app.session(&token).await.expect(200);
    // Nothing is there to be removed, and a key of nobody is none.
    browser.send(&format!("{home}/app/remove"), &[]).await.expect(404);
    browser.send(&format!("{home}/keys/{NOBODY}/remove"), &[]).await.expect(404);
    browser.send("/admin/users/x/disable", &[]).await.expect(404);
    browser.open("/admin/users/ann").await.expect(404);
}

#[tokio::test]
async fn dangerous_acts_ask_for_a_fresh_sign_in() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let mut browser = administrator(&app).await;
    app.advance(Duration::from_secs(16 * 60));
    let home = format!("/admin/users/{}", ann.id);
    browser.open(&home).await.expect(200);
    let back = format!("/sign-in?return_to=%2Fadmin%2Fusers%2F{}&again=yes", ann.id);
    for act in ["disable", "enable", "recovery", "app/remove"] {
        let before = app.audit().await;
        assert_eq!(place(&browser.send(&format!("{home}/{act}"), &[]).await.expect(303)), back, "{act}");
        assert_eq!(app.audit().await, before, "{act}");
    }
    let fields = [("identifier", "root"), ("password", PASSWORD), ("return_to", home.as_str())];
    browser.open(&back).await.expect(200);
    let again = browser.send("/sign-in", &fields).await.expect(303);
    browser.follow(&again).await.expect(200);
    browser.send(&format!("{home}/disable"), &[]).await.expect(303);
    app.sign_in("ann", PASSWORD).await.problem(403, "account-disabled");
}

#[tokio::test]
async fn what_was_typed_stays_through_a_new_sign_in() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    for (list, fields) in [
        ("/admin/invitations", vec![("email", "new+1@example.com"), ("role", "admin")]),
        ("/admin/applications", vec![("name", "Terminal & 1"), ("networks", "192.0.2.0/24"), ("suffices", "yes")]),
    ] {
        browser.open(list).await.expect(200);
        app.advance(Duration::from_secs(16 * 60));
        let before = app.audit().await;
        let again = browser.send(list, &fields).await.expect(303);
        let back = url::form_urlencoded::byte_serialize(list.as_bytes()).collect::<String>();
        assert!(place(&again).starts_with(&format!("/sign-in?return_to={back}%3F")), "{}", place(&again));
        assert!(place(&again).ends_with("&again=yes"), "{}", place(&again));
        assert_eq!(app.audit().await, before);
        let asked = browser.follow(&again).await.expect(200);
        let to = value_of(&asked.text(), "return_to").unwrap();
        let fields_in = [("identifier", "root"), ("password", PASSWORD), ("return_to", to.as_str())];
        let entered = browser.send("/sign-in", &fields_in).await.expect(303);
        let page = html(&browser.follow(&entered).await.expect(200));
        for (_, typed) in fields.iter().filter(|(name, _)| *name != "role" && *name != "suffices") {
            assert!(page.contains(&format!("value=\"{typed}\"")), "{typed}: {page}");
        }
        assert!(page.contains("value=\"admin\" selected") || page.contains("value=\"yes\" selected"), "{page}");
        // The session has ended, too.
        let ended = Browser::new(&app).await;
        let out = app.send(ended.form(list, &fields)).await.expect(303);
        assert!(place(&out).starts_with(&format!("/sign-in?return_to={back}%3F")));
    }
}

#[tokio::test]
async fn an_administrator_does_not_shut_themselves_out() {
    let app = TestApp::new().await;
    let root = app.create("root", Role::Admin, true).await;
    let mut browser = Browser::signed_in(&app, "root").await;
    let page = browser.send(&format!("/admin/users/{}/disable", root.id), &[]).await.expect(409);
    assert!(words(&page).contains("it is your own"), "{}", words(&page));
    let page = browser.send(&format!("/admin/users/{}/app/remove", root.id), &[]).await.expect(409);
    assert!(words(&page).contains("it is your own"), "{}", words(&page));
    browser.open("/admin/users").await.expect(200);
}

#[tokio::test]
async fn a_second_factor_is_demanded_of_who_has_one_and_by_the_setting_of_all() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    browser.open("/admin/users").await.expect(200);
    // Enrolled elsewhere meanwhile: this session has not proven it.
    let elsewhere = app.token("root").await;
    let mut key = Authenticator::new(7, ORIGIN);
    app.register(&elsewhere, "Blue", &mut key).await.expect(201);
    let asked = browser.open("/admin/users").await.expect(303);
    assert_eq!(place(&asked), "/second-factor?return_to=%2Fadmin%2Fusers&again=yes");
    browser.follow(&asked).await.expect(200);

    // Nor has one that an application opened with a mailed code: whoever reads the mailbox would administer.
    let application = app.application(false, &[]).await;
    let mailed = application.token(&app, "root").await;
    app.session(&mailed).await.expect(200);
    app.send(Ask::get("/admin/v1/users").bearer(&mailed)).await.problem(401, "second-factor-required");

    let strict = TestApp::with(&[("administrators.second_factor", "true")]).await;
    let mut browser = administrator(&strict).await;
    let page = browser.open("/admin/users").await.expect(403);
    assert!(words(&page).contains("Set up a second factor first"), "{}", words(&page));
    let token = strict.token("root").await;
    strict.send(Ask::get("/admin/v1/users").bearer(&token)).await.problem(401, "second-factor-required");
    let mailed = strict.application(false, &[]).await.token(&strict, "root").await;
    strict.send(Ask::get("/admin/v1/users").bearer(&mailed)).await.problem(401, "second-factor-required");
}

/// What stands between two texts, for the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).unwrap().split(after).next().unwrap()
}

#[tokio::test]
async fn invitations_from_the_form_to_their_end() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    let wrong = browser.send("/admin/invitations", &[("email", "nobody"), ("role", "member")]).await.expect(422);
    assert!(words(&wrong).contains("This is no e-mail address") && html(&wrong).contains("value=\"nobody\""));
    let before = app.audit().await;
    let done = browser.send("/admin/invitations", &[("email", "new@example.com"), ("role", "admin")]).await.expect(303);
    let page = browser.follow(&done).await.expect(200);
    let told = words(&page);
    assert!(told.contains("The invitation is on its way.") && told.contains("new@example.com\nopen"), "{told}");
    let first = app.query("new@example.com", "id").await;
    let text = html(&page);
    let id = between(&text, "action=\"/admin/invitations/", "/");
    browser.send(&format!("/admin/invitations/{id}/reissue"), &[]).await.expect(303);
    let second = app.query("new@example.com", "id").await;
    assert_ne!(first, second);
    assert!(!text.contains(&first) && !html(&browser.open("/admin/invitations").await).contains(&second));
    browser.send(&format!("/admin/invitations/{id}/revoke"), &[]).await.expect(303);
    let over = browser.send(&format!("/admin/invitations/{id}/revoke"), &[]).await.expect(409);
    assert!(words(&over).contains("used or taken back already"), "{}", words(&over));
    browser.send(&format!("/admin/invitations/{id}/reissue"), &[]).await.expect(409);
    browser.send(&format!("/admin/invitations/{NOBODY}/revoke"), &[]).await.expect(404);
    assert_eq!(since(&app, &before).await, ["invitation_created ok", "invitation_reissued ok", "invitation_revoked ok"]);
    assert!(words(&browser.open("/admin/invitations").await).contains("taken back"));
}

#[tokio::test]
async fn an_invitation_is_good_for_as_long_as_was_said() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    for (days, told) in
        [("", "good until 2026-01-08 00:00"), (" 30 ", "good until 2026-01-31 00:00"), ("366", "good until 2027-01-02 00:00")]
    {
        let fields = [("email", "new@example.com"), ("role", "member"), ("days", days)];
        let sent = browser.send("/admin/invitations", &fields).await.expect(303);
        let list = words(&browser.follow(&sent).await);
        assert!(list.contains(told), "{days}: {list}");
    }
    let before = app.audit().await;
    for days in ["0", "367", "-1", "1.5", "a week", "99999999999999999999"] {
        let fields = [("email", "new@example.com"), ("role", "admin"), ("days", days)];
        let page = browser.send("/admin/invitations", &fields).await.expect(422);
        assert!(words(&page).contains("from 1 to 366") && html(&page).contains(r#"value="new@example.com""#), "{days}");
        assert!(html(&page).contains(r#"<option value="admin" selected>"#));
    }
    assert!(words(&browser.open("/admin/invitations").await).contains("Empty: for 7 days."));
    assert!(since(&app, &before).await.is_empty());
}

#[tokio::test]
async fn applications_show_their_secrets_once() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    for (name, networks, told) in [(" ", "", "A name has 1 to 100"), ("Terminal", "here", "A network has the form")] {
        let fields = [("name", name), ("networks", networks), ("suffices", "no")];
        let page = browser.send("/admin/applications", &fields).await.expect(422);
        assert!(words(&page).contains(told), "{}", words(&page));
    }
    let before = app.audit().await;
    let fields = [("name", "Terminal"), ("networks", "192.0.2.0/24, 2001:db8::/32"), ("suffices", "yes")];
    let made = browser.send("/admin/applications", &fields).await.expect(200);
    assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
    let secrets = |page: &Reply| {
        html(page).split("class=\"secret\">").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let shown = secrets(&made);
    assert_eq!(shown.len(), 3);
    let list = browser.open("/admin/applications").await.expect(200);
    let told = words(&list);
    assert!(told.contains("Terminal") && told.contains("192.0.2.0/24, 2001:db8::/32"), "{told}");
    assert!(told.contains(&shown[0]) && !told.contains(&shown[1]) && !told.contains(&shown[2]));
    let rotated = secrets(&browser.send(&format!("/admin/applications/{}/rotate", shown[0]), &[]).await.expect(200));
    assert!(rotated[0] == shown[0] && rotated[1] != shown[1] && rotated[2] != shown[2]);
    let done = browser.send(&format!("/admin/applications/{}/revoke", shown[0]), &[]).await.expect(303);
    assert!(words(&browser.follow(&done).await).contains("The application is revoked"));
    browser.send(&format!("/admin/applications/{}/rotate", shown[0]), &[]).await.expect(404);
    assert_eq!(since(&app, &before).await, ["application_created ok", "application_rotated ok", "application_revoked ok"]);
}

#[tokio::test]
async fn an_application_gets_other_networks() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    let application = app.application(false, &["192.0.2.0/24"]).await;
    let place = format!("/admin/applications/{}/networks", application.0.application.id);
    assert!(html(&browser.open(&place).await.expect(200)).contains(r#"value="192.0.2.0/24""#));
    let before = app.audit().await;
    let wrong = browser.send(&place, &[("networks", "198.51.100.0/24, here")]).await.expect(422);
    assert!(words(&wrong).contains("A network has the form") && html(&wrong).contains("198.51.100.0/24, here"));
    let done = browser.send(&place, &[("networks", "198.51.100.0/24")]).await.expect(303);
    let told = words(&browser.follow(&done).await);
    assert!(told.contains("networks of the application are changed") && told.contains("from 198.51.100.0/24"), "{told}");
    app.send(application.sign(Ask::get("/apim/session/1.0/session/init").header("userid", "ann"))).await.expect(401);
    assert_eq!(since(&app, &before).await, ["application_limited ok", "application_refused network_not_allowed"]);
    browser.send(&format!("/admin/applications/{}/revoke", application.0.application.id), &[]).await.expect(303);
    browser.open(&place).await.expect(404);
    browser.send(&place, &[("networks", "")]).await.expect(404);
    browser.open(&format!("/admin/applications/{NOBODY}/networks")).await.expect(404);
}

#[tokio::test]
async fn the_outbox_shows_mails_without_their_secrets() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    app.invite("new@example.com", Role::Member).await;
    let list = browser.open("/admin/mail").await.expect(200);
    let told = words(&list);
    assert!(told.contains("Invitation\nwaiting\nto new@example.com"), "{told}");
    let text = html(&list);
    let id = between(&text, "action=\"/admin/mail/", "/");
    let before = app.audit().await;
    let done = browser.send(&format!("/admin/mail/{id}/retry"), &[]).await.expect(303);
    assert!(words(&browser.follow(&done).await).contains("The mail is due now."));
    let secret = app.query("new@example.com", "id").await;
    assert!(words(&browser.open("/admin/mail").await).contains("Invitation\nsent"));
    let over = browser.send(&format!("/admin/mail/{id}/retry"), &[]).await.expect(409);
    assert!(words(&over).contains("The mail has been sent"), "{}", words(&over));
    assert_eq!(since(&app, &before).await, ["mail_retried ok", "mail_retried conflict"]);
    let read = browser.open(&format!("/admin/mail/{id}")).await.expect(200);
    assert!(words(&read).contains("/invitation?id=NOT-SHOWN"), "{}", words(&read));
    let laid_out = browser.open(&format!("/admin/mail/{id}/html")).await.expect(200);
    assert!(html(&laid_out).contains("NOT-SHOWN") && !laid_out.text().contains(&secret) && !read.text().contains(&secret));
    let policy = laid_out.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("sandbox; default-src 'none'") && !policy.contains("allow-"), "{policy}");
    assert_eq!(laid_out.headers[header::CACHE_CONTROL], "no-store");
    browser.open(&format!("/admin/mail/{NOBODY}")).await.expect(404);
}

#[tokio::test]
async fn the_log_is_filtered_and_exported() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let mut browser = administrator(&app).await;
    let fields = [("identifier", "ann"), ("password", "wrong, and wrong")];
    let hostile = Ask::post("/auth/v1/sign-in/password").header("user-agent", "=HYPERLINK(\"x\")");
    app.send(hostile.json(&serde_json::json!({"identifier": fields[0].1, "password": fields[1].1}))).await.expect(401);
    let lines = |page: &Reply| html(page).matches("<li>\n<div>\n<strong>").count();
    let all = lines(&browser.open("/admin/audit").await.expect(200));
    for query in [
        "user=ann&event=sign_in&outcome=invalid_credentials&dialect=native".to_owned(),
        format!("user={}&outcome=invalid_credentials&since=2026-01-01&until=2026-01-01T00:00:01Z", ann.id),
    ] {
        let page = browser.open(&format!("/admin/audit?{query}")).await.expect(200);
        assert_eq!(lines(&page), 1, "{query}: {}", words(&page));
        assert!(words(&page).contains("Sign-in\nWrong name, password or code\n"), "{}", words(&page));
        assert!(html(&page).contains(r#"<option value="invalid_credentials" selected>Wrong name, password or code</option>"#));
        assert!(all > 1);
    }
    let page = browser.open("/admin/audit?event=of_a_later_release").await.expect(200);
    assert!(
        html(&page).contains(r#"<option value="of_a_later_release" selected>of_a_later_release</option>"#) && lines(&page) == 0
    );
    let german = Ask::get("/admin/audit?user=ann&event=user_created").header("accept-language", "de");
    let page = words(&app.send(browser.cookies(german)).await.expect(200));
    assert!(page.contains("Konto angelegt\nErledigt\n") && page.contains("an der Kommandozeile"), "{page}");
    assert_eq!(lines(&browser.open("/admin/audit?until=2026-01-01").await.expect(200)), 0);
    for (query, told) in [("user=zoe", "no such user"), ("since=now", "A time is"), ("until=2026-13-01", "A time is")] {
        let page = browser.open(&format!("/admin/audit?{query}")).await.expect(422);
        assert!(words(&page).contains(told) && lines(&page) == 0, "{query}");
        browser.open(&format!("/admin/audit.csv?{query}")).await.expect(303);
    }
    let file = browser.open("/admin/audit.csv?user=ann&outcome=invalid_credentials").await.expect(200);
    assert_eq!(file.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    assert_eq!(file.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"audit.csv\"");
    let text = file.text();
    let rows: Vec<_> = text.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert!(rows[0].starts_with("\"id\",\"at\",\"event\"") && rows[1].contains("\"'=HYPERLINK(\"\"x\"\")\""), "{text}");
    // Followed to its end, every line is in it.
    let whole = browser.open("/admin/audit.csv").await.expect(200).text();
    assert_eq!(whole.split_terminator("\r\n").count(), app.audit().await.len() + 1);
}

/// A log in which an export gives up before it comes to the one line that is sought.
#[tokio::test]
async fn an_export_of_what_is_rare_ends_and_says_where() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    // One a millisecond, in 2025.
    let insert = "WITH RECURSIVE n (i, t) AS (
            SELECT 0, '019700000000' UNION ALL SELECT i + 1, '0' || CAST(19700000001 + i AS TEXT) FROM n WHERE i < 50000
        )
        INSERT INTO audit (id, at, event, outcome, actor, dialect, request_id)
        SELECT substr(t, 1, 8) || '-' || substr(t, 9, 4) || '-7000-8000-000000000000', 0, 'sign_in',
            CASE WHEN i = 0 THEN 'rare' ELSE 'ok' END, 'server', 'native', '' FROM n";
    assert_eq!(app.database().execute(insert).await, 50_001);
    let cut = browser.open("/admin/audit.csv?outcome=rare").await.expect(200);
    assert_eq!(cut.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"audit-cut.csv\"");
    let text = cut.text();
    let rows: Vec<_> = text.split_terminator("\r\n").collect();
    assert!(rows.len() == 2 && rows[1].starts_with("\"\",\"2025-"), "{text}");
    let until = between(rows[1], "“Before” ", ".\"");
    let rest = browser.open(&format!("/admin/audit.csv?outcome=rare&until={until}")).await.expect(200);
    assert_eq!(rest.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"audit.csv\"");
    let text = rest.text();
    assert!(text.contains("\"rare\"") && text.split_terminator("\r\n").count() == 2, "{text}");
}

#[tokio::test]
async fn every_page_leads_on_and_out() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let mut browser = administrator(&app).await;
    app.invite("new@example.com", Role::Member).await;
    let application = app.application(true, &[]).await;
    let outbox = html(&browser.open("/admin/mail").await.expect(200));
    let mail = between(&outbox, "action=\"/admin/mail/", "/");
    for path in PAGES.iter().filter(|path| !path.ends_with(".csv") && !path.ends_with("/html")) {
        let id = match path.split('/').nth(2) {
            Some("mail") => mail.to_owned(),
            Some("applications") => application.0.application.id.to_string(),
            _ => ann.id.to_string(),
        };
        let page = html(&browser.open(&path.replace(NOBODY, &id)).await.expect(200));
        let head = between(&page, "<header>", "</header>");
        for way in ["action=\"/sign-out\"", "href=\"/account\"", "href=\"/admin\"", "href=\"/admin/audit\""] {
            assert!(head.contains(way), "{path}: {way}: {head}");
        }
    }
}

#[tokio::test]
async fn a_file_has_ten_thousand_lines_and_says_where_it_was_cut() {
    let app = TestApp::new().await;
    let mut browser = administrator(&app).await;
    // One a second; all before this test's own.
    let fill = async |from: u64, to: u64| {
        let row = |i: u64| {
            let (millis, id) = (i * 1000, format!("{:012x}", i * 1000));
            let id = format!("{}-{}-7000-8000-000000000000", &id[..8], &id[8..]);
            format!("('{id}', {millis}, 'sign_in', 'ok', 'anonymous', 'bulk', '')")
        };
        for start in (from..=to).step_by(1000) {
            let rows: Vec<_> = (start..=to.min(start + 999)).map(row).collect();
            let insert = "INSERT INTO audit (id, at, event, outcome, actor, dialect, request_id) VALUES";
            app.database().execute(&format!("{insert} {}", rows.join(", "))).await;
        }
    };
    fill(1, 10_000).await;
    let rows = |reply: &Reply| reply.text().split_terminator("\r\n").map(str::to_owned).collect::<Vec<_>>();
    let whole = browser.open("/admin/audit.csv?dialect=bulk").await.expect(200);
    assert_eq!(whole.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"audit.csv\"");
    let lines = rows(&whole);
    assert_eq!(lines.len(), 10_001);
    assert!(lines[1].contains("02:46:40") && lines[10_000].contains("00:00:01"), "{} {}", lines[1], lines[10_000]);

    fill(10_001, 10_001).await;
    let cut = browser.open("/admin/audit.csv?dialect=bulk").await.expect(200);
    assert_eq!(cut.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"audit-cut.csv\"");
    let lines = rows(&cut);
    assert_eq!(lines.len(), 10_002);
    assert!(lines[10_000].contains("1970-01-01T00:00:02.000Z"), "{}", lines[10_000]);
    assert!(
        lines[10_001].starts_with("\"\",\"1970-01-01T00:00:02.000Z\",") && lines[10_001].contains("Cut here"),
        "{}",
        lines[10_001]
    );
    // What it says leads to the rest, and to what is of the same millisecond as the last.
    assert!(lines[10_001].contains("“Before” 1970-01-01T00:00:02.001Z"), "{}", lines[10_001]);
    let rest = browser.open("/admin/audit.csv?dialect=bulk&until=1970-01-01T00:00:02.001Z").await.expect(200);
    assert_eq!(rows(&rest).len(), 3);
}

#[tokio::test]
async fn an_administrator_removes_the_app_that_somebody_has_lost() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let mut browser = administrator(&app).await;
    let home = format!("/admin/users/{}", ann.id);
    let act = format!("{home}/app/remove");
    assert!(!html(&browser.open(&home).await.expect(200)).contains(&act));
    flow_totp::enrol(&app, &app.token("ann").await).await;
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "half");
    assert!(html(&browser.open(&home).await.expect(200)).contains(&format!("action=\"{act}\"")));
    let before = app.audit().await;
    let done = browser.send(&act, &[]).await.expect(303);
    assert_eq!(place(&done), home);
    let page = browser.follow(&done).await.expect(200);
    assert!(words(&page).contains("The authenticator app is removed.") && !html(&page).contains(&act), "{}", words(&page));
    assert_eq!(since(&app, &before).await, ["totp_removed ok"]);
    assert!(app.mail("ann@example.com").await.text.contains("authenticator app was removed"));
    // The password alone is enough again, and there is nothing left to remove.
    assert_eq!(app.sign_in("ann", PASSWORD).await.expect(200).at("/status"), "full");
    browser.send(&act, &[]).await.expect(404);
}

#[tokio::test]
async fn the_overview_draws_what_was_counted() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut browser = administrator(&app).await;
    app.sign_in("ann", "wrong, and wrong").await;
    app.sign_in("ann", PASSWORD).await.expect(200);
    let page = browser.open("/admin").await.expect(200);
    let told = words(&page);
    for part in ["Sign-ins: 2\nRefusals: 1", "The last 48 hours", "The last 30 days", "2026-01-01 00:00 UTC\n2\n1"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Two thirds of the highest bar, and a third on it: the present hour and the present day, each the last of its chart.
    let text = html(&page);
    assert_eq!(text.matches("<rect class=\"sign-ins\"").count(), 48 + 30);
    assert_eq!(text.matches("height=\"78\"").count(), 2, "{text}");
    assert_eq!(text.matches("y=\"3\" width=\"10\" height=\"39\"").count(), 2, "{text}");
}

#[tokio::test]
async fn settings_are_shown_as_they_are_in_force_without_secrets() {
    let app = TestApp::with(&[("smtp_url", "smtp://postmaster:hunter2@127.0.0.1:2525"), ("sessions.idle", "3h")]).await;
    let mut browser = administrator(&app).await;
    let page = browser.open("/admin/settings").await.expect(200);
    let told = words(&page);
    assert!(told.contains("sessions.idle") && told.contains("3h") && told.contains("smtp://***@127.0.0.1:2525"), "{told}");
    assert!(!page.text().contains("hunter2") && !page.text().contains("postmaster"));
}
