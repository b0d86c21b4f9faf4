//! What errors and requests show of what they hold.

use doorward_client::{Error, Options, Proxy, kalshi, kestra, kotak, kraken};

use super::script::{Script, nobody, options, say};

#[tokio::test]
async fn a_success_that_cannot_be_read_does_not_show_what_it_holds() {
    for body in
        [r#"{"user_id": "u", "token": ["hidden"], "access_level": "x"}"#, r#"{"user_id": 7, "token": "hidden"}"#, "hidden"]
    {
        let script = Script::new([say(200, &[("Set-Cookie", "sessions=hidden")], body)]).await;
        let api = kalshi::AuthApi::with(&script.url, &options()).unwrap();
        let error = api.login(&kalshi::LoginRequest::new("a", "hidden")).await.unwrap_err();
        assert!(matches!(error, Error::Unreadable(_)));
        assert!(!format!("{error:?} {error}").contains("hidden"), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_all_and_shows_its_typed_part() {
    let page = "<html>hidden</html>";
    let script = Script::new([say(418, &[("Set-Cookie", "sessions=hidden"), ("X-Trace", "7")], page)]).await;
    let api = kalshi::AuthApi::with(&script.url, &options()).unwrap();
    let error = api.login(None).await.unwrap_err();
    let refused = error.refused().unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["x-trace"].to_str().unwrap()), (418, "7"));
    assert!(refused.body().is_none());
    assert_eq!(refused.text(), page);
    let shown = format!("{error:?} {error} {:?}", refused.headers());
    assert!(!shown.contains("hidden"), "{shown}");
}

#[tokio::test]
async fn a_broken_connection_shows_no_url() {
    let (_kept, url) = nobody();
    let api = kestra::AuthApi::with(&url, &options()).unwrap();
    for error in [api.forgotten_password("hidden").await.unwrap_err(), api.request_code("hidden").await.unwrap_err()] {
        let mut shown = format!("{error:?} {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            shown.push_str(&format!(" {cause:?} {cause}"));
            source = cause.source();
        }
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn models_show_no_secret() {
    let shown = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        kalshi::LoginRequest::new("a", "hidden"),
        kalshi::ConfirmPasswordResetRequest::new("hidden", "u"),
        kraken::LoginRequest::new("a", "hidden"),
        kestra::AuthControllerResetPasswordRequest::new("hidden", "hidden"),
        kotak::Configuration::new("hidden", "u", "hidden", "i", "a"),
    );
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn nor_does_a_proxy() {
    for url in
        ["http://ann:hidden@proxy.example:3128", "ann:hidden@proxy.example:3128", "http://ann:hidden/@hidden@proxy.example:3128"]
    {
        let credentials = Some(("ann".to_owned(), "hidden".into()));
        let proxy = Proxy::Through { url: url.to_owned(), credentials };
        let shown = [
            format!("{proxy:?}"),
            format!("{:?}", Options::default().proxy(proxy)),
            format!("{:?}", kotak::Configuration::new("t", "u", "c", "i", "a").proxy_url(url).proxy_pass("hidden")),
        ];
        for shown in shown {
            assert!(shown.contains("proxy.example:3128") && !shown.contains("hidden"), "{shown}");
        }
    }
}
