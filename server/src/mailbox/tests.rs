use std::fs::{create_dir, remove_file, write};
use std::os::unix::fs::symlink;

use super::*;

fn named(place: usize) -> String {
    format!("20261123T175900Z-{place:04}")
}

fn put(folder: &Path, place: usize, text: &[u8]) {
    write(folder.join(format!("{}.eml", named(place))), text).unwrap();
}

fn listed(mailbox: &Mailbox, before: Option<&Name>, most: usize) -> Vec<String> {
    mailbox.list(before, most).unwrap().mails.into_iter().map(|(name, _)| name.as_str().to_owned()).collect()
}

#[test]
fn a_name_leads_to_no_other_file() {
    for text in ["20261123T175900Z-0193-aa", "20261123T175900Z-a", "20240229T000000Z-0193aaaa-0000-7000-8000-00000000abcd"] {
        assert_eq!(Name::parse(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        "-",
        "changes",
        "..",
        "../doorward",
        "20261123T175900Z",
        "20261123T175900Z-",
        "20261123T175900Z-../x",
        "20261123T175900Z-a/b",
        "20261123T175900Z-a.eml",
        "20261123T175900Z-a\0",
        "20261123T175900Z-é",
        "20261323T175900Z-a",
        "20261123T256100Z-a",
        "2026é123T175900-a",
        "20261123 175900Z-a",
        ".20261123T175900Z-a",
        &format!("20261123T175900Z-{}", "a".repeat(49)),
    ] {
        assert_eq!(Name::parse(text), None, "{text}");
    }
    assert_eq!(Name::parse("20261123T175900Z-a").unwrap().at().to_string(), "2026-11-23T17:59:00.000Z");
}

#[test]
fn the_newest_come_first_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().to_owned());
    for place in 0..7 {
        put(folder.path(), place, b"Subject: x\r\n\r\n");
    }
    let mut all = Vec::new();
    let mut before = None;
    loop {
        let page = mailbox.list(before.as_ref(), 3).unwrap();
        all.extend(page.mails.iter().map(|(name, _)| name.as_str().to_owned()));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(all, (0..7).rev().map(named).collect::<Vec<_>>());
    // As many as one asks for, and none behind them.
    assert_eq!(mailbox.list(None, 7).unwrap().next, None);
    // Also when the mail that a page ended with is gone.
    let end = Name::parse(&named(4)).unwrap();
    remove_file(folder.path().join(end.file())).unwrap();
    assert_eq!(listed(&mailbox, Some(&end), 3), [named(3), named(2), named(1)]);
}

#[test]
fn what_was_seen_is_told_from_what_is_there_now() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().join("not-there-yet"));
    let nothing = mailbox.list(None, 2).unwrap();
    assert!(nothing.mails.is_empty() && nothing.next.is_none());
    let mailbox = Mailbox::new(folder.path().to_owned());
    let seen = || mailbox.list(None, 2).unwrap().seen;
    assert_eq!(seen(), nothing.seen);
    let mut before = vec![seen()];
    for place in 0..4 {
        put(folder.path(), place, b"");
        assert!(!before.contains(&seen()), "{place}");
        before.push(seen());
    }
    assert_eq!(seen(), seen());
    remove_file(folder.path().join(format!("{}.eml", named(3)))).unwrap();
    assert_eq!(seen(), before[3]);
}

#[test]
fn what_is_no_mail_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().to_owned());
    let at = |name: &str| folder.path().join(name);
    let secret = tempfile::NamedTempFile::new().unwrap();
    write(secret.path(), "secret").unwrap();
    put(folder.path(), 1, b"Subject: here\r\n\r\n");
    for name in [".20261123T175900Z-0002.eml.tmp", "20261123T175900Z-0003.eml~", "notes.txt", "x.eml"] {
        write(at(name), "Subject: not this\r\n\r\n").unwrap();
    }
    create_dir(at("20261123T175900Z-0004.eml")).unwrap();
    symlink(secret.path(), at("20261123T175900Z-0005.eml")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("20261123T175900Z-0006.eml")).status().unwrap().success());
    assert_eq!(listed(&mailbox, None, 50), [named(1)]);
    for place in 4..8 {
        assert_eq!(mailbox.open(&Name::parse(&named(place)).unwrap()), None, "{place}");
    }
}

#[test]
fn a_mail_is_read_as_its_reader_sees_it() {
    let mail = "From: =?utf-8?b?QcOpIFNlcnZpY2U=?= <no-reply@localhost>\r\nTo: ann@example.org, Bob <bob@example.org>\r\n\
                Subject: =?utf-8?q?K=C3=B6nnen?= Sie\r\n lesen?\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
                --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
                Gr=C3=BC=C3=9Fe, http://localhost/reset?code=3D1=\r\n2\r\n\
                --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<p>Hi</p>\r\n--b--\r\n";
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), 1, mail.as_bytes());
    let mailbox = Mailbox::new(folder.path().to_owned());
    let name = Name::parse(&named(1)).unwrap();
    let letter = mailbox.open(&name).unwrap();
    assert_eq!(letter.facts.from, "Aé Service <no-reply@localhost>");
    assert_eq!(letter.facts.to, "ann@example.org, Bob <bob@example.org>");
    assert_eq!(letter.facts.subject, "Können Sie lesen?");
    assert_eq!(letter.text.as_deref().map(str::trim_end), Some("Grüße, http://localhost/reset?code=12"));
    assert_eq!(letter.html.as_deref().map(str::trim_end), Some("<p>Hi</p>"));
    assert!(letter.head.starts_with("From: =?utf-8") && letter.head.trim_end().ends_with("boundary=\"b\""), "{}", letter.head);
    assert_eq!(mailbox.list(None, 1).unwrap().mails, [(name, letter.facts)]);
}

#[test]
fn whatever_is_in_a_file_something_is_shown() {
    for (bytes, text, html) in [
        (&b""[..], Some(""), None),
        (b"nothing of a mail", Some("nothing of a mail"), None),
        (b"\xff\xfe\x00", Some("\u{fffd}\u{fffd}\0"), None),
        (b"Subject: x\r\n\r\nplain\r\n", Some("plain\r\n"), None),
        (b"Content-Type: text/html\r\n\r\n<p>x</p>", None, Some("<p>x</p>")),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b",
            Some("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b"),
            None,
        ),
        (
            b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
            Some("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"),
            None,
        ),
    ] {
        let letter = Letter::of(bytes, false);
        assert_eq!((letter.text.as_deref(), letter.html.as_deref()), (text, html), "{}", String::from_utf8_lossy(bytes));
    }
    let nested = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(20_000);
    assert!(Letter::of(nested.as_bytes(), true).cut);
}

#[test]
fn of_a_huge_mail_the_beginning_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mailbox = Mailbox::new(folder.path().to_owned());
    let head = b"Subject: huge\r\n\r\n";
    for (place, size, cut) in [(1, MAIL_MOST, false), (2, MAIL_MOST + 1, true), (3, 8 * MAIL_MOST, true)] {
        let mut mail = head.to_vec();
        mail.resize(usize::try_from(size).unwrap(), b'a');
        put(folder.path(), place, &mail);
        let letter = mailbox.open(&Name::parse(&named(place)).unwrap()).unwrap();
        assert_eq!((letter.cut, letter.facts.subject.as_str()), (cut, "huge"), "{size}");
        assert_eq!(letter.text.unwrap().len() as u64, MAIL_MOST - head.len() as u64);
    }
    // A head beyond what the list reads.
    put(folder.path(), 4, format!("Subject: first\r\nX: {}\r\nTo: late@example.org\r\n\r\n", "a".repeat(40_000)).as_bytes());
    let facts = mailbox.list(None, 1).unwrap().mails.remove(0).1;
    assert_eq!((facts.subject.as_str(), facts.to.as_str()), ("first", ""));
}
