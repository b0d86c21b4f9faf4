//! The mailbox of development: to whom it is there, and what it shows of mails, whatever is in them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use axum::http::header;
use doorward::core::model::Role;

use super::app::TestApp;
use super::browser::{html, words};
use super::reply::{Ask, Reply};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const URLS: [&str; 5] =
    ["/dev/mail", "/dev/mail?before=x", "/dev/mail/changes", "/dev/mail/20261123T175900Z-a", "/dev/mail/20261123T175900Z-a/html"];

async fn open(app: &TestApp, path: &str) -> Reply {
    app.send_from(HERE, Ask::get(path).header("host", "localhost:8080")).await
}

fn folder(app: &TestApp) -> PathBuf {
    app.folder().join("mail")
}

fn put(app: &TestApp, name: &str, mail: &str) {
    std::fs::write(folder(app).join(format!("{name}.eml")), mail).unwrap();
}

fn policy(reply: &Reply) -> &str {
    reply.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap()
}

/// As a URL that nobody has, but for the id of the request.
#[track_caller]
fn is_nothing(reply: &Reply, unknown: &Reply, what: &str) {
    let plain = |reply: &Reply| {
        let mut headers = reply.headers.clone();
        headers.remove("x-request-id");
        (reply.status, headers, reply.body.clone())
    };
    assert_eq!(plain(reply), plain(unknown), "{what}");
}

#[tokio::test]
async fn with_a_mail_server_or_a_public_address_there_is_none() {
    for settings in [
        &[("smtp_url", "smtp://127.0.0.1:2525")][..],
        &[("listen", "0.0.0.0:8080")],
        &[("listen", "[::]:8080")],
        &[("listen", "192.0.2.1:8080")],
        &[("public_url", "https://login.example.org")],
        &[("public_url", "http://192.0.2.1:8080")],
        &[("mail.mailbox", "false")],
    ] {
        let app = TestApp::with(settings).await;
        let unknown = open(&app, "/no/such/url").await.expect(404);
        for url in URLS {
            is_nothing(&open(&app, url).await, &unknown, &format!("{settings:?} {url}"));
        }
    }
    for settings in [&[("listen", "[::1]:8080")][..], &[("public_url", "https://login.localhost")], &[("listen", "127.0.0.9:1")]]
    {
        open(&TestApp::with(settings).await, "/dev/mail").await.expect(200);
    }
}

#[tokio::test]
async fn whoever_is_not_at_this_machine_finds_nothing() {
    let app = TestApp::new().await;
    let unknown = open(&app, "/no/such/url").await.expect(404);
    let local = |url: &str| Ask::get(url).header("host", "localhost:8080");
    for url in URLS {
        let far = app.send_from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), local(url)).await;
        is_nothing(&far, &unknown, url);
        for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "192.0.2.1:8080"] {
            is_nothing(&app.send_from(HERE, Ask::get(url).header("host", host)).await, &unknown, host);
        }
        for (name, value) in [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "127.0.0.1"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-host", "login.example.org"),
            ("via", "1.1 proxy"),
            ("x-real-ip", "127.0.0.1"),
        ] {
            is_nothing(&app.send_from(HERE, local(url).header(name, value)).await, &unknown, name);
        }
        // Nor what there would be for them.
        is_nothing(&app.send_from(HERE, Ask::post(url).header("host", "evil.example")).await, &unknown, url);
    }
    let known = app.send_from(HERE, Ask::post("/dev/mail").header("host", "localhost:8080")).await.expect(405);
    assert_eq!(known.headers[header::ALLOW], "GET,HEAD");
    let trusting = TestApp::with(&[("proxies.trusted", "127.0.0.1/32")]).await;
    let proxied = trusting.send_from(HERE, local("/dev/mail").header("x-forwarded-for", "127.0.0.1")).await;
    is_nothing(&proxied, &unknown, "by way of a trusted proxy");
    trusting.send_from(HERE, local("/dev/mail")).await.expect(200);
}

#[tokio::test]
async fn nothing_of_it_is_another_sites() {
    let app = TestApp::new().await;
    app.invite("new@example.com", Role::Member).await;
    app.deliver().await;
    let list = html(&open(&app, "/dev/mail").await.expect(200));
    let name = list.split("data-name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for url in
        ["/dev/mail".to_owned(), "/dev/mail/changes".to_owned(), format!("/dev/mail/{name}"), format!("/dev/mail/{name}/html")]
    {
        let ask = Ask::get(&url).header("host", "localhost:8080").header("origin", "http://localhost:3000");
        let reply = app.send_from(HERE, ask).await.expect(200);
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{url}");
        assert_eq!(reply.headers["cross-origin-resource-policy"], "same-origin", "{url}");
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store", "{url}");
        assert_eq!(reply.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{url}");
    }
}

#[tokio::test]
async fn mails_are_shown_as_they_arrive_newest_first() {
    let app = TestApp::new().await;
    assert!(words(&open(&app, "/dev/mail").await.expect(200)).contains("No mail has been sent yet."));
    app.invite("ann@example.com", Role::Member).await;
    app.deliver().await;
    app.invite("bob@example.com", Role::Member).await;
    app.deliver().await;
    let list = open(&app, "/dev/mail").await.expect(200);
    let (told, text) = (words(&list), html(&list));
    let (ann, bob) = (told.find("ann@example.com").unwrap(), told.find("bob@example.com").unwrap());
    assert!(bob < ann && told.contains("Invitation to doorward"), "{told}");
    assert!(text.contains("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"), "{text}");
    assert!(!policy(&list).contains("frame-src") && !policy(&list).contains("unsafe"), "{}", policy(&list));

    let name = text.split("data-name=\"").nth(1).unwrap().split('"').next().unwrap();
    let mail = app.mail("bob@example.com").await;
    let link = mail.link().unwrap().to_string();
    let page = open(&app, &format!("/dev/mail/{name}")).await.expect(200);
    let text = html(&page);
    let escaped = link.replace('&', "&amp;");
    assert!(
        text.contains(&format!("<a href=\"{escaped}\" target=\"_blank\" rel=\"noopener noreferrer\">{escaped}</a>")),
        "{text}"
    );
    assert!(
        words(&page).contains("bob@example.com") && words(&page).contains("Auto-Submitted: auto-generated"),
        "{}",
        words(&page)
    );
    assert!(policy(&page).ends_with("; frame-src 'self'") && !policy(&page).contains("unsafe"), "{}", policy(&page));
    assert!(text.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""), "{text}");

    let laid_out = open(&app, &format!("/dev/mail/{name}/html")).await.expect(200);
    assert!(laid_out.text().contains("<base target=\"_blank\">") && html(&laid_out).contains("/invitation?id="));
    assert!(policy(&laid_out).starts_with("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"));
    for word in ["script", "same-origin", "allow-forms", "allow-top", "http", "*"] {
        assert!(!policy(&laid_out).contains(word), "{word}");
    }
    assert_eq!(laid_out.headers[header::X_FRAME_OPTIONS], "SAMEORIGIN");
    assert_eq!(laid_out.headers[header::REFERRER_POLICY], "no-referrer");
}

#[tokio::test]
async fn the_page_is_told_what_has_changed() {
    let app = TestApp::new().await;
    let list = html(&open(&app, "/dev/mail").await.expect(200));
    let seen = list.split("data-seen=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let same = open(&app, &format!("/dev/mail/changes?seen={seen}")).await.expect(204);
    assert!(same.body.is_empty());
    app.invite("ann@example.com", Role::Member).await;
    app.deliver().await;
    let changed = open(&app, &format!("/dev/mail/changes?seen={seen}")).await.expect(200).json();
    assert_eq!(changed["mails"].as_array().unwrap().len(), 1);
    assert_eq!(changed["mails"][0]["to"], "ann@example.com");
    assert_eq!(changed["mails"][0]["subject"], "Invitation to doorward");
    open(&app, &format!("/dev/mail/changes?seen={}", changed["seen"].as_str().unwrap())).await.expect(204);
    std::fs::remove_dir_all(folder(&app)).unwrap();
    assert_eq!(open(&app, "/dev/mail/changes").await.expect(200).json()["seen"].as_str(), Some(seen.as_str()));
    assert!(words(&open(&app, "/dev/mail").await.expect(200)).contains("No mail has been sent yet."));
}

#[tokio::test]
async fn a_page_has_fifty_and_leads_to_the_older_ones() {
    let app = TestApp::new().await;
    for place in 0..120 {
        put(&app, &format!("20261123T175900Z-{place:03}"), &format!("Subject: mail {place:03}\r\n\r\n"));
    }
    let (mut url, mut subjects) = ("/dev/mail".to_owned(), Vec::new());
    for shown in [50, 50, 20] {
        let page = html(&open(&app, &url).await.expect(200));
        let found: Vec<_> = page.split(" data-subject>mail ").skip(1).map(|rest| rest[..3].to_owned()).collect();
        assert_eq!(found.len(), shown, "{url}");
        assert_eq!(page.contains("data-changes"), url == "/dev/mail");
        assert_eq!(page.contains("http-equiv"), url == "/dev/mail");
        subjects.extend(found);
        let next = page.split("href=\"/dev/mail?before=").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        assert_eq!(next.is_some(), shown == 50, "{url}");
        url = format!("/dev/mail?before={}", next.unwrap_or_default());
    }
    assert_eq!(subjects, (0..120).rev().map(|place| format!("{place:03}")).collect::<Vec<_>>());
    assert_eq!(open(&app, "/dev/mail/changes").await.json()["mails"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn what_is_in_a_mail_is_no_markup_of_ours() {
    let app = TestApp::new().await;
    let hostile = "\"><script>alert(1)</script>";
    let text = format!("{hostile} javascript:alert(2) http://a.example/\" onclick=\"alert(3) https://b.example/<b>");
    let mail =
        format!("From: \"{hostile}\" <a@b>\r\nTo: {hostile} <c@d>\r\nSubject: {hostile}\r\nX-Odd: {hostile}\r\n\r\n{text}\r\n");
    put(&app, "20261123T175900Z-a", &mail);
    put(
        &app,
        "20261123T175900Z-b",
        "Content-Type: text/html\r\n\r\n<script>alert(4)</script><form action=/sign-out method=post>",
    );
    for url in ["/dev/mail", "/dev/mail/20261123T175900Z-a", "/dev/mail/20261123T175900Z-b"] {
        let reply = open(&app, url).await.expect(200);
        let page = html(&reply);
        assert_eq!(page.matches("<script").count(), 1, "{url}: {page}");
        assert!(!page.contains("\"><script") && !page.contains("href=\"javascript"), "{url}: {page}");
        assert!(!page.contains("alert(4)") && !page.contains("action=\"/sign-out"), "{url}: {page}");
        for start in page.split("<a ").skip(1) {
            let tag = start.split('>').next().unwrap();
            assert!(!tag.contains("onclick"), "{tag}");
        }
    }
    let page = html(&open(&app, "/dev/mail/20261123T175900Z-a").await);
    assert!(page.contains("<a href=\"http://a.example/\" ") && page.contains("<a href=\"https://b.example/\" "), "{page}");
    let given = open(&app, "/dev/mail/changes").await.expect(200);
    assert!(given.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("application/json"));
    // As it is, in a document that can do nothing.
    let laid_out = open(&app, "/dev/mail/20261123T175900Z-b/html").await.expect(200);
    assert!(laid_out.text().contains("<script>alert(4)</script>") && policy(&laid_out).contains("default-src 'none'"));
    open(&app, "/dev/mail/20261123T175900Z-a/html").await.expect(404);
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let app = TestApp::new().await;
    std::fs::write(app.folder().join("20261123T175900Z-out.eml"), "Subject: outside\r\n\r\n").unwrap();
    put(&app, "20261123T175900Z-in", "Subject: inside\r\n\r\n");
    assert!(words(&open(&app, "/dev/mail/20261123T175900Z-in").await.expect(200)).contains("inside"));
    for name in [
        "20261123T175900Z-out",
        "..%2f20261123T175900Z-out",
        "%2e%2e%2f20261123T175900Z-out",
        "../20261123T175900Z-out",
        "20261123T175900Z-in%2f..%2f..%2f20261123T175900Z-out",
        "20261123T175900Z-in%00",
        "20261123T175900Z-in.eml",
        "%2fetc%2fpasswd",
        "%ff",
    ] {
        for end in ["", "/html"] {
            let reply = open(&app, &format!("/dev/mail/{name}{end}")).await;
            assert!(
                matches!(reply.status.as_u16(), 400 | 404) && !reply.text().contains("outside"),
                "{name}{end}: {}",
                reply.status
            );
        }
        let page = open(&app, &format!("/dev/mail?before={name}")).await.expect(200);
        assert!(!page.text().contains("outside"), "{name}");
    }
}

#[tokio::test]
async fn mails_that_are_broken_or_gone_break_no_page() {
    let app = TestApp::new().await;
    put(&app, "20261123T175900Z-1", "");
    put(&app, "20261123T175900Z-2", "\0\0\0");
    put(&app, "20261123T175900Z-3", &format!("Subject: {}\r\n\r\n{}", "long ".repeat(1000), "a ".repeat(1024 * 1024)));
    std::fs::write(folder(&app).join(".20261123T175900Z-4.eml.tmp"), "Subject: half of a\r\n").unwrap();
    let list = open(&app, "/dev/mail").await.expect(200);
    let told = words(&list);
    assert_eq!(told.matches("(no subject)").count(), 2, "{told}");
    assert!(told.contains("long…") || told.contains("long …"), "{told}");
    assert!(!told.contains("half of a"));
    for place in 1..=3 {
        let page = open(&app, &format!("/dev/mail/20261123T175900Z-{place}")).await.expect(200);
        assert_eq!(words(&page).contains("This mail is longer"), place == 3);
    }
    std::fs::remove_file(folder(&app).join("20261123T175900Z-1.eml")).unwrap();
    let gone = open(&app, "/dev/mail/20261123T175900Z-1").await.expect(404);
    assert!(words(&gone).contains("There is no such page"));
    // A folder that is none is told of, and in the log.
    std::fs::remove_dir_all(folder(&app)).unwrap();
    std::fs::write(folder(&app), "").unwrap();
    open(&app, "/dev/mail").await.expect(500);
}
