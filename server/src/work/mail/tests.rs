use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::message::Sender;
use super::render::{Rendered, Renderer, samples};
use super::transport::Transport;
use crate::core::clock::Timestamp;
use crate::core::flows::delivery::{Carries, Letter};
use crate::core::model::MailKind;
use crate::core::token::Secret;
use crate::locale::{Catalogues, Language};
use crate::templates::TemplateError;

const URL: &str = "https://login.example.com";
const LINK: &str = "https://login.example.com/reset?code=Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy&user_id=018f0000-0000-7000-8000-000000000001";
const AT: i64 = 1_795_456_740_000;

const HOSTILE: &[&str] = &[
    "ABCDEF",
    "\nABCDEF\n",
    "\r\nABC123\r\n.\r\n",
    "x\u{2028}ABCDEF\u{2029}\u{85}ABCDEF\u{b}ABCDEF\u{c}ABCDEF",
    "Ann\r\nBcc: eve@example.net",
    "https://evil.example/reset?code=1",
    "www.evil.example or evil.example/x or eve@evil.example",
    "evil\u{3002}example evil\u{ff0e}example",
    "</p><a href='https://evil.example'>click</a>",
    "{{ link }}{% include 'layout.html' %}",
    "\u{202e}ABCDEF\u{200b}",
    "   \t ",
    "",
];

fn renderer() -> Renderer {
    render_as(Language::English, "Example", None).unwrap()
}

fn render_as(language: Language, service: &str, overrides: Option<&Path>) -> Result<Renderer, TemplateError> {
    Renderer::new(service, URL, language, Catalogues::load(overrides)?, overrides)
}

fn letter(name: Option<&str>, kind: MailKind, carries: Carries) -> Letter {
    let any = samples().remove(0);
    Letter { kind, name: name.map(str::to_owned), carries, detail: None, promised_at: Timestamp::from_millis(AT), ..any }
}

fn notice(name: Option<&str>) -> Letter {
    letter(name, MailKind::PasswordChanged, Carries::Nothing)
}

fn link(link: &str, minutes: u64) -> Carries {
    Carries::Link(Secret::new(link), Duration::from_secs(minutes * 60))
}

fn code(code: &str) -> Carries {
    Carries::Code(Secret::new(code), Duration::from_secs(600))
}

/// Every kind, full of `text` wherever a person's text goes.
fn filled_with(text: &str) -> Vec<Letter> {
    let fill = |letter| Letter { name: Some(text.to_owned()), detail: Some(text.to_owned()), ..letter };
    samples().into_iter().map(fill).collect()
}

/// The lines that match `^[ \t]*([A-Z0-9]{6})[ \t]*\r?$`.
fn code_lines(text: &str) -> Vec<&str> {
    let trimmed = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).trim_matches([' ', '\t']));
    trimmed.filter(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())).collect()
}

fn links(text: &str) -> Vec<&str> {
    text.split_whitespace().filter(|word| word.contains("://") || word.contains("www.e")).collect()
}

#[test]
fn a_reset_mail_in_words() {
    let mail = renderer().render(&letter(Some("Ann"), MailKind::Recovery, link(LINK, 30))).unwrap();
    assert_eq!(mail.subject, "Reset your password for Example");
    let text = format!(
        "Hello Ann,\n\nSomebody, probably you, asked to reset the password of your account with\nExample. To choose a new password, \
         open this link:\n\n{LINK}\n\nIt works once, for 30 minutes after it was asked for. A later request\nmakes it void.\n\nIf it was \
         not you, do nothing: your password stays as it is.\n\n--\nSent by Example at login.example.com on 2026-11-23 17:59 UTC.\n"
    );
    assert_eq!(mail.text, text);
    assert!(mail.html.contains("Hello Ann,") && mail.html.contains("&amp;user_id=018f"), "{}", mail.html);
}

#[test]
fn a_mail_in_another_language() {
    let german = render_as(Language::German, "Example", None).unwrap();
    let mail = german.render(&letter(Some("Ann"), MailKind::Recovery, link(LINK, 90))).unwrap();
    assert_eq!(mail.subject, "Ihr Passwort für Example zurücksetzen");
    assert!(mail.text.starts_with("Guten Tag Ann,\n\nJemand, wahrscheinlich Sie,"), "{}", mail.text);
    assert!(mail.text.contains("90 Minuten lang") && mail.html.contains("<html lang=\"de\" dir=\"ltr\">"), "{}", mail.text);
    assert!(mail.text.lines().all(|line| line == LINK || line.chars().count() <= 72), "{}", mail.text);
}

#[test]
fn a_code_is_the_only_line_that_looks_like_one_whatever_people_call_themselves() {
    for text in HOSTILE.iter().copied().chain(["Ann", "Anne-Marie O’Neill", &"X".repeat(500)]) {
        for letter in filled_with(text) {
            let mail = renderer().render(&letter).unwrap();
            assert_eq!(code_lines(&mail.text), letter.carries.code().into_iter().collect::<Vec<_>>(), "{text:?} {}", mail.text);
            assert_eq!(links(&mail.text), letter.carries.link().into_iter().collect::<Vec<_>>(), "{text:?} {}", mail.text);
            if let Some(link) = letter.carries.link() {
                assert!(mail.text.lines().any(|line| line == link), "{}", mail.text);
            }
            assert!(!mail.text.contains("evil.example") && !mail.text.contains('@'), "{}", mail.text);
            assert!(
                mail.text.lines().all(|line| line.chars().all(|c| !c.is_control()))
                    && !mail.text.contains(['\u{2028}', '\u{85}', '\u{202e}'])
            );
            assert!(
                !mail.html.contains("evil.example") && !mail.html.contains("<img") && !mail.html.contains("href='"),
                "{}",
                mail.html
            );
            assert!(
                !mail.subject.contains(['\r', '\n']) && mail.subject.ends_with("Example") || mail.subject.contains("Example")
            );
        }
    }
}

#[test]
fn names_stay_names() {
    for (typed, shown) in [
        ("Ann", "Hello Ann,"),
        ("  Zoë   Ødegård ", "Hello Zoë Ødegård,"),
        ("J.R.", "Hello J. R.,"),
        ("O'Neill-Smith", "Hello O'Neill-Smith,"),
        ("李小龙", "Hello 李小龙,"),
        ("\u{200b}\r\n", "Hello,"),
        ("<b>&", "Hello b &,"),
    ] {
        let mail = renderer().render(&notice(Some(typed))).unwrap();
        assert_eq!(mail.text.lines().next(), Some(shown));
    }
    let long = renderer().render(&notice(Some(&"é".repeat(500)))).unwrap();
    assert_eq!(long.text.lines().next().unwrap().chars().count(), "Hello ,".len() + 64);
}

#[test]
fn spans_are_told_in_the_largest_unit_that_is_exact() {
    for (minutes, told) in [(1, "1 minute"), (10, "10 minutes"), (60, "1 hour"), (90, "90 minutes"), (10_080, "7 days")] {
        let mail = renderer().render(&letter(None, MailKind::Invitation, link(LINK, minutes))).unwrap();
        assert!(mail.text.contains(&format!("for {told} after")), "{}", mail.text);
    }
}

#[test]
fn a_malformed_link_or_code_is_an_error_that_does_not_show_it() {
    for (kind, carries) in [
        (MailKind::Recovery, link("javascript:S3C", 1)),
        (MailKind::Recovery, link("https://a/ S3C", 1)),
        (MailKind::Recovery, link("https://a/\nS3C", 1)),
        (MailKind::Invitation, code("S3CS3C")),
        (MailKind::Invitation, Carries::Nothing),
        (MailKind::LoginCode, code("S3C")),
        (MailKind::LoginCode, code("S3Cabc")),
        (MailKind::LoginCode, code("S3CS3C\n")),
        (MailKind::AccessCode, link(LINK, 1)),
        (MailKind::AccessCode, Carries::Nothing),
        (MailKind::PasswordChanged, code("S3CS3C")),
    ] {
        let letter = letter(None, kind, carries);
        let error = renderer().render(&letter).err().unwrap();
        assert!(!error.to_string().contains("S3C") && !format!("{letter:?}").contains("S3C"), "{error} {letter:?}");
    }
}

#[test]
fn an_override_is_used_and_one_that_breaks_a_rule_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("mail");
    std::fs::create_dir(&mail).unwrap();
    let attempt = |name: &str, text: &str| {
        std::fs::write(mail.join(name), text).unwrap();
        let made = render_as(Language::English, "Example", Some(folder.path()));
        std::fs::remove_file(mail.join(name)).unwrap();
        made
    };
    let made =
        attempt("login_code.txt", "Subject: Ihr Code für {{ service }}\nHallo {{ name or \"\" }}\n\n  {{ code }}\n").unwrap();
    let rendered = made.render(&letter(Some("Ann"), MailKind::LoginCode, code("K7Q2MX"))).unwrap();
    assert_eq!((rendered.subject.as_str(), rendered.text.as_str()), ("Ihr Code für Example", "Hallo Ann\n\n  K7Q2MX\n"));

    for (name, text, line, problem) in [
        ("recovery.txt", "Subject: x\n{{ link }}\n{% endif %}", Some(3), "syntax error"),
        ("recovery.txt", "Subject: x\n{{ link }}\n{{ lnk }}", Some(3), "undefined value"),
        ("recovery.txt", "{{ link }}", Some(1), "Subject"),
        ("recovery.txt", "Subject: x\nopen {{ link }}.\n", None, "alone on one line"),
        ("recovery.html", "<p>open it</p>", None, "{{ link }} is missing"),
        ("login_code.txt", "Subject: x\nCode: {{ code }}", None, "alone on one line"),
        ("login_code.txt", "Subject: x\nPLEASE\n{{ code }}", None, "looks like a code"),
        ("greeting.txt", "Hi\n{{ name }}\n", None, "looks like a code"),
        ("layout.html", "\n{{ subjct }}", Some(2), "undefined value"),
        ("recovry.txt", "", None, "overrides nothing"),
    ] {
        let error = attempt(name, text).unwrap_err();
        assert!(error.problem.contains(problem) && error.line == line, "{name}: {error}");
        assert!(error.file.ends_with(name) || name == "greeting.txt", "{error}");
    }
}

fn rendered(name: Option<&str>) -> Rendered {
    renderer().render(&letter(name, MailKind::Recovery, link(LINK, 30))).unwrap()
}

fn formatted(sender: &Sender, name: Option<&str>) -> String {
    let message = sender.message("0193-aa", "joe@example.com", Timestamp::from_millis(AT), &rendered(name)).unwrap();
    String::from_utf8(message.formatted()).unwrap()
}

#[test]
fn the_message_is_whole_and_the_same_when_built_again() {
    let sender = Sender::new("Example", Some("Ex Ample <login@example.com>"), Some("help@example.com"), URL).unwrap();
    let mail = formatted(&sender, Some("Ann"));
    assert_eq!(mail, formatted(&sender, Some("Ann")));
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    for line in [
        "From: \"Ex Ample\" <login@example.com>",
        "Reply-To: help@example.com",
        "To: joe@example.com",
        "Date: Mon, 23 Nov 2026 17:59:00 +0000",
        "Message-ID: <0193-aa@login.example.com>",
        "Auto-Submitted: auto-generated",
        "Subject: Reset your password for Example",
        "MIME-Version: 1.0",
    ] {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(
        head.contains("multipart/alternative")
            && body.contains("text/plain; charset=utf-8")
            && body.contains("text/html; charset=utf-8")
    );
    assert!(body.contains(&format!("\r\n{LINK}\r\n")), "readable in the raw file: {body}");
    // A name beyond ASCII makes the parts quoted-printable; nothing else changes.
    let mail = formatted(&sender, Some("Zoë"));
    assert!(mail.contains("quoted-printable") && mail.is_ascii(), "{mail}");
}

#[test]
fn nothing_that_people_type_becomes_a_header() {
    let service = "Example\r\nBcc: eve@example.net";
    let sender = Sender::new(service, None, None, URL).unwrap();
    for name in HOSTILE {
        let head = formatted(&sender, Some(name)).split_once("\r\n\r\n").unwrap().0.to_owned();
        assert_eq!(head.to_ascii_lowercase().lines().filter(|line| line.starts_with("bcc")).count(), 0, "{head}");
        assert!(head.contains("no-reply@login.example.com"), "{head}");
    }
    let subject = render_as(Language::English, service, None).unwrap().render(&notice(None)).unwrap().subject;
    assert_eq!(subject, "Your password for Example Bcc: eve@example.net was changed");
    for to in ["", "joe", "joe@example.com\r\nBcc: eve@example.net", "joe@example.com, eve@example.net", "Joe <joe@example.com>"]
    {
        let error = sender.message("1", to, Timestamp::from_millis(AT), &rendered(None)).unwrap_err();
        assert!(!error.contains("joe"), "{error}");
    }
}

#[test]
fn senders_are_checked_at_start() {
    for url in ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080", URL] {
        let sender = Sender::new("Example", None, None, url).unwrap();
        assert!(sender.from().contains("no-reply@"), "{}", sender.from());
        assert!(formatted(&sender, None).contains("Message-ID: <0193-aa@"));
    }
    let sender = Sender::new("Example", Some("a@localhost"), None, URL).unwrap();
    for to in ["\"a b\"@example.com", "é@example.com", "joe@localhost", "joe@bücher.example"] {
        let message = sender.message("1", to, Timestamp::from_millis(AT), &rendered(None)).unwrap();
        assert_eq!(message.envelope().to()[0].to_string(), to);
    }
    assert!(Sender::new("Example", Some("nobody"), None, URL).unwrap_err().contains("nobody"));
    assert!(Sender::new("Example", None, Some("a@b, c@d"), URL).is_err());
}

#[tokio::test]
async fn files_are_whole_private_and_replaced_by_their_like() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("mail");
    let transport = Transport::files(folder.clone()).unwrap();
    assert_eq!(transport.to_string(), folder.display().to_string());
    let sender = Sender::new("Example", None, None, URL).unwrap();
    let message = sender.message("0193/../aa", "joe@example.com", Timestamp::from_millis(AT), &rendered(None)).unwrap();
    for _ in 0..2 {
        transport.deliver(&message, "0193/../aa").await.unwrap();
    }
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [folder.join("20261123T175900Z-0193----aa.eml")]);
    assert_eq!(std::fs::read(&files[0]).unwrap(), message.formatted());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&files[0])), (0o700, 0o600));

    std::fs::remove_dir_all(&folder).unwrap();
    let error = transport.deliver(&message, "1").await.unwrap_err();
    assert!(matches!(error, super::transport::DeliveryError::Temporary { .. }), "{error:?}");
}
