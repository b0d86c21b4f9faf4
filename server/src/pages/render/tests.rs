use super::*;
use crate::config::setting::{Raw, Setting as _};

fn make(service: &str, overrides: Option<&Path>) -> Result<Pages, TemplateError> {
    let origins = Origins::read(&Raw::Text("https://app.example.org")).unwrap();
    Pages::new(service, Language::English, Catalogues::load(overrides)?, &origins, overrides)
}

/// Every page with every sample in every language.
fn every(pages: &Pages) -> Vec<(&'static str, String)> {
    fn all<V: View>(pages: &Pages, made: &mut Vec<(&'static str, String)>) {
        for language in Language::ALL {
            for view in V::samples() {
                let notice = Some("Sample".to_owned());
                let frame = Frame { csrf: "t0ken", user: Some("Sample"), administers: true, notice };
                let around = pages.around(language, &frame);
                for name in serde_json::to_value(&view).unwrap().as_object().unwrap().keys() {
                    assert!(around.get_attr(name).unwrap().is_undefined(), "{} has a {name} of its own", V::TEMPLATE);
                }
                let html = pages.templates.render(V::TEMPLATE, pages.values(language, &frame, &view)).unwrap();
                made.push((V::TEMPLATE, html));
            }
        }
    }
    let mut made = Vec::new();
    all::<sign_in::SignIn>(pages, &mut made);
    all::<code::Request>(pages, &mut made);
    all::<code::Entry>(pages, &mut made);
    all::<second_factor::SecondFactor>(pages, &mut made);
    all::<sign_out::SignOut>(pages, &mut made);
    all::<forgotten::Forgotten>(pages, &mut made);
    all::<forgotten::Mailed>(pages, &mut made);
    all::<reset::Reset>(pages, &mut made);
    all::<reset::Failed>(pages, &mut made);
    all::<invitation::Create>(pages, &mut made);
    all::<invitation::Accept>(pages, &mut made);
    all::<invitation::Other>(pages, &mut made);
    all::<invitation::Closed>(pages, &mut made);
    all::<setup::Create>(pages, &mut made);
    all::<setup::Closed>(pages, &mut made);
    all::<account::Account>(pages, &mut made);
    all::<account::profile::Names>(pages, &mut made);
    all::<account::history::History>(pages, &mut made);
    all::<account::password::Change>(pages, &mut made);
    all::<account::app::Enrol>(pages, &mut made);
    all::<account::app::Removal>(pages, &mut made);
    all::<account::keys::Add>(pages, &mut made);
    all::<account::keys::One>(pages, &mut made);
    all::<admin::users::Users>(pages, &mut made);
    all::<admin::user::One>(pages, &mut made);
    all::<admin::invitations::Invitations>(pages, &mut made);
    all::<admin::applications::Applications>(pages, &mut made);
    all::<admin::applications::Secrets>(pages, &mut made);
    all::<admin::application_networks::Networks>(pages, &mut made);
    all::<admin::mail::Outbox>(pages, &mut made);
    all::<admin::mail::Preview>(pages, &mut made);
    all::<admin::audit::Audit>(pages, &mut made);
    all::<admin::dashboard::Dashboard>(pages, &mut made);
    all::<admin::settings::Settings>(pages, &mut made);
    all::<dev_mail::List>(pages, &mut made);
    all::<dev_mail::One>(pages, &mut made);
    all::<problem::Problem>(pages, &mut made);
    made
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

#[test]
fn the_pages_work_under_the_strict_policy() {
    let pages = make("Example", None).unwrap();
    for (name, html) in every(&pages) {
        for word in ["<style", " style=", " onclick", " onload", "javascript:", "http://", "https://"] {
            assert!(!html.contains(word), "{name} has {word}: {html}");
        }
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        let script = format!(" src=\"{}\" defer>", pages.script.url(assets::SCRIPT)).replace('/', "&#x2f;");
        assert_eq!(between(&html, "<script", "</script>"), [script], "{name}");
    }
    assert!(pages.style.text().contains("prefers-color-scheme: dark") && !pages.style.text().contains("url("));
    for word in ["innerHTML", "eval(", "document.write", "http"] {
        assert!(!pages.script.text().contains(word), "{word}");
    }
}

#[test]
fn every_form_that_posts_carries_the_token() {
    for (name, html) in every(&make("Example", None).unwrap()) {
        for form in between(&html, "<form ", "</form>") {
            let carries = form.contains(r#"<input type="hidden" name="csrf" value="t0ken">"#);
            assert_eq!(form.contains(r#"method="post""#), carries, "{name}: {form}");
        }
    }
}

#[test]
fn every_field_has_its_label_and_what_describes_it_is_there() {
    for (name, html) in every(&make("Example", None).unwrap()) {
        for input in between(&html, "<input ", ">").into_iter().filter(|input| !input.contains("hidden")) {
            let input = format!(" {input}");
            let id = between(&input, " id=\"", "\"");
            assert_eq!(id.len(), 1, "{name}: {input}");
            assert!(html.contains(&format!("<label for=\"{}\">", id[0])), "{name}: {input}");
            assert!(input.contains("autocomplete=\""), "{name}: {input}");
        }
        for described in between(&html, "aria-describedby=\"", "\"").iter().flat_map(|ids| ids.split(' ')) {
            assert_eq!(html.matches(&format!("id=\"{described}\"")).count(), 1, "{name}: {described}");
        }
        assert!(html.matches(" autofocus").count() <= 1, "{name}: {html}");
        for id in between(&html, " id=\"", "\"") {
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{name}: {id}");
        }
    }
}

#[test]
fn what_is_typed_is_escaped() {
    let hostile = r#""><script>alert(1)</script>'&"#;
    let pages = make(hostile, None).unwrap();
    let frame = Frame { csrf: hostile, user: Some(hostile), administers: true, notice: Some(hostile.to_owned()) };
    let samples = serde_json::to_string(&sign_in::SignIn::samples()[0]).unwrap();
    // The same values, each replaced: whatever a template shows of them.
    let values: serde_json::Value =
        serde_json::from_str(&samples.replace("\"Sample\"", &serde_json::to_string(hostile).unwrap())).unwrap();
    let frame = pages.values(Language::English, &frame, &sign_out::SignOut::samples()[0]);
    let html = pages.templates.render("sign_in.html", context! { ..Value::from(Serde(values)), ..frame }).unwrap();
    assert_eq!(html.matches("<script").count(), 1, "{html}");
    assert!(!html.contains(r#"""><"#), "{html}");
}

#[test]
fn an_operators_files_and_words_replace_ours() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["pages", "locales"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("pages/check_mail.html"), "<p>{{ t(\"check_mail.title\") }} bei {{ service }}</p>")
        .unwrap();
    std::fs::write(folder.path().join("pages/doorward.css"), "@media print{#x{color:red}}").unwrap();
    std::fs::write(folder.path().join("locales/en.toml"), "[check_mail]\ntitle = \"Post!\"\n").unwrap();
    let pages = make("A & B", Some(folder.path())).unwrap();
    let made = every(&pages);
    let (_, html) = made.iter().find(|(name, _)| *name == "check_mail.html").unwrap();
    assert_eq!(html, "<p>Post! bei A &amp; B</p>");
    assert_eq!(pages.style.text(), "@media print{#x{color:red}}");
    assert_ne!(pages.style.url("x"), make("A", None).unwrap().style.url("x"));
    std::fs::write(folder.path().join("pages/check_mail.html"), "one\n{{ nothing }}").unwrap();
    let error = make("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/check_mail.html") && error.line == Some(2), "{error}");
}

#[test]
fn an_operators_files_in_a_folder_below_replace_ours() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("pages/admin");
    std::fs::create_dir_all(&below).unwrap();
    std::fs::write(below.join("settings.html"), "<p>ours: {{ t(\"admin.settings\") }}</p>").unwrap();
    std::fs::write(below.join("mail_facts.html"), "<i>facts of ours</i>").unwrap();
    std::fs::write(below.join(".settings.html.swp"), "{% an editor's leftover").unwrap();
    let made = every(&make("Example", Some(folder.path())).unwrap());
    let of = |name: &str| made.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    assert_eq!(of("admin/settings.html"), "<p>ours: Settings</p>");
    // One that others include.
    for name in ["admin/mail.html", "admin/mail_preview.html"] {
        assert!(of(name).contains("<i>facts of ours</i>") && of(name).contains("<h1>"), "{name}");
    }
    assert!(of("admin/users.html").contains("<h1>"), "the others stay");
    std::fs::write(below.join("settings.html"), "one\n\n{{ nothing }}").unwrap();
    let error = make("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/admin/settings.html") && error.line == Some(3), "{error}");
    std::fs::write(below.join("settings.html"), "one\n{% if %}").unwrap();
    let error = make("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/admin/settings.html") && error.line == Some(2), "{error}");
    std::fs::rename(below.join("settings.html"), below.join("setings.html")).unwrap();
    let error = make("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/admin/setings.html") && error.problem.contains("overrides nothing"), "{error}");
    std::fs::rename(&below, folder.path().join("pages/adm")).unwrap();
    let error = make("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/adm") && error.problem.contains("overrides nothing"), "{error}");
}
