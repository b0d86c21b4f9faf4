use super::*;

fn pages() -> Pages {
    Pages::new("Example", None).unwrap()
}

fn reset(secret: ResetSecret<'_>, problem: Option<&str>) -> String {
    pages().render(&Page::ResetForm(ResetForm { secret, password_minimum: 8, problem })).unwrap()
}

fn invitation(first_name: &str, last_name: &str, problems: InvitationProblems<'_>) -> String {
    let form =
        InvitationForm { id: "SeCrEt", email: Some("ann@example.com"), first_name, last_name, password_minimum: 8, problems };
    pages().render(&Page::InvitationForm(form)).unwrap()
}

#[test]
fn the_reset_form_carries_the_secret_as_the_link_did() {
    let page = reset(ResetSecret::Code { code: "c0de", user_id: "u-1" }, None);
    assert!(page.contains(r#"<input type="hidden" name="code" value="c0de">"#), "{page}");
    assert!(page.contains(r#"<input type="hidden" name="user_id" value="u-1">"#), "{page}");
    assert!(!page.contains(r#"name="token""#) && !page.contains("aria-invalid") && !page.contains("Error"), "{page}");
    let page = reset(ResetSecret::Token("t0ken"), Some("The password is too easy to guess."));
    assert!(page.contains(r#"name="token" value="t0ken""#) && !page.contains(r#"name="code""#), "{page}");
    assert!(page.contains(r#"aria-describedby="password-hint password-error" aria-invalid="true""#), "{page}");
    assert!(page.contains(r#"id="password-error" role="alert">The password is too easy to guess.<"#), "{page}");
    assert!(page.contains("<title>Error: Choose a new password"), "{page}");
}

#[test]
fn what_is_typed_is_escaped() {
    let hostile = r#""><script>alert(1)</script>'&"#;
    let problems =
        InvitationProblems { form: Some(hostile), first_name: Some(hostile), last_name: Some(hostile), password: Some(hostile) };
    let form = InvitationForm {
        id: hostile,
        email: Some(hostile),
        first_name: hostile,
        last_name: hostile,
        password_minimum: 8,
        problems,
    };
    let renderer = Pages::new(hostile, None).unwrap();
    let secrets = [ResetSecret::Token(hostile), ResetSecret::Code { code: hostile, user_id: hostile }];
    let mut shown: Vec<Page<'_>> = secrets
        .into_iter()
        .map(|secret| Page::ResetForm(ResetForm { secret, password_minimum: 8, problem: Some(hostile) }))
        .collect();
    shown.extend([Page::InvitationForm(form), Page::Problem { heading: hostile, explanation: hostile }]);
    for page in shown {
        let html = renderer.render(&page).unwrap();
        assert!(!html.contains("<script") && !html.contains(r#"""><"#), "{html}");
    }
}

#[test]
fn the_pages_work_under_the_strict_policy() {
    let renderer = pages();
    for page in samples() {
        let html = renderer.render(&page).unwrap();
        let (scripts, styles) = (html.contains("<script"), html.contains("<style") || html.contains(" style="));
        assert!(!scripts && !styles && !html.contains(" onclick") && !html.contains("http"), "{html}");
        assert_eq!(html.matches("<h1>").count(), 1, "{html}");
        assert!(html.contains(r#"<link rel="stylesheet" href="assets/doorward.css">"#), "{html}");
    }
    assert!(renderer.stylesheet().contains("prefers-color-scheme: dark"));
    assert!(!renderer.stylesheet().contains("url("));
}

#[test]
fn every_field_has_a_label_and_one_has_the_focus() {
    let wrong_password = InvitationProblems { password: Some("Too short."), ..InvitationProblems::default() };
    let wrong_name = InvitationProblems { last_name: Some("Too long."), ..wrong_password };
    for (html, focused) in [
        (invitation("", "", InvitationProblems::default()), "first_name"),
        (invitation("Ann", "", InvitationProblems::default()), "last_name"),
        (invitation("Ann", "", wrong_password), "password"),
        (invitation("Ann", "Lee", wrong_name), "last_name"),
        (reset(ResetSecret::Token("t"), None), "password"),
    ] {
        let inputs: Vec<&str> = html.lines().filter(|line| line.starts_with("<input") && !line.contains("hidden")).collect();
        for input in &inputs {
            let id = input.split("id=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{id}");
        }
        let focus: Vec<&&str> = inputs.iter().filter(|line| line.contains("autofocus")).collect();
        assert!(focus.len() == 1 && focus[0].contains(&format!("id=\"{focused}\"")), "{focus:?}");
        assert!(html.contains(r#"autocomplete="new-password""#));
    }
}

#[test]
fn an_operators_page_and_style_sheet_replace_ours() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    std::fs::write(folder.path().join("pages/reset_done.html"), "<p>Fertig bei {{ service }}</p>").unwrap();
    std::fs::write(folder.path().join("pages/doorward.css"), "@media print{#x{color:red}}").unwrap();
    let pages = Pages::new("A & B", Some(folder.path())).unwrap();
    assert_eq!(pages.render(&Page::ResetDone).unwrap(), "<p>Fertig bei A &amp; B</p>");
    assert_eq!(pages.stylesheet(), "@media print{#x{color:red}}");
    std::fs::write(folder.path().join("pages/reset_done.html"), "one\n{{ nothing }}").unwrap();
    let error = Pages::new("Example", Some(folder.path())).unwrap_err();
    assert!(error.file.ends_with("pages/reset_done.html") && error.line == Some(2), "{error}");
}
