//! Where calls go: hosts, redirects, proxies.

use doorward_client::kotak::{Configuration, SessionApi};
use doorward_client::{Error, Options, Proxy, Retry, kalshi, kestra, kotak, kraken};

use super::script::{Act, Script, greeting, options, say};

fn configuration(host: &str) -> Configuration {
    Configuration::new("access", "ann", "consumer", "203.0.113.9", "app").host(host)
}

async fn connect(host: &str) -> Result<SessionApi, kotak::Error> {
    SessionApi::session_init_with(configuration(host), options().retry(Retry::never())).await
}

#[test]
fn the_hosts_of_the_original_services_are_the_defaults() {
    assert_eq!(kalshi::HOST, "https://trading-api.kalshi.com/v1");
    assert_eq!(kotak::HOST, "https://tradeapi.kotaksecurities.com/apim");
    assert_eq!((kraken::HOST, kestra::HOST), ("http://localhost", "http://localhost"));
    assert!(format!("{:?}", kalshi::AuthApi::new().unwrap()).contains(kalshi::HOST));
    assert!(format!("{:?}", Configuration::new("a", "b", "c", "d", "e")).contains(kotak::HOST));
    assert!(kraken::AuthenticationApi::new().is_ok() && kestra::AuthApi::new().is_ok());
}

#[tokio::test]
async fn every_call_of_kotak_carries_its_headers() {
    let script = Script::kotak([say(401, &[], r#"{"fault": {"code": 900901, "message": "no", "description": "x"}}"#)]).await;
    let mut api = connect(&script.url).await.unwrap();
    let refused = api.login(&"secret".into()).await.unwrap_err();
    assert_eq!(refused.refused().unwrap().body().unwrap().code, Some(900_901));
    let heard = script.heard();
    assert!(heard[0].starts_with("GET /session/1.0/session/init HTTP/1.1"));
    assert!(heard[0].to_lowercase().contains("\r\nuserid: ann\r\n"));
    assert!(heard[1].starts_with("POST /session/1.0/session/login/userid HTTP/1.1"));
    assert!(heard[1].ends_with(r#"{"userid":"ann","password":"secret"}"#));
    for request in heard {
        for header in ["authorization: Bearer access", "consumerkey: consumer", "appid: app", "ip: 203.0.113.9"] {
            assert!(request.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} is not in {request}");
        }
    }
}

#[tokio::test]
async fn kotak_goes_on_where_it_is_sent() {
    let second = Script::kotak([say(401, &[], "")]).await;
    let first = Script::new([greeting(&second.url)]).await;
    let mut api = connect(&first.url).await.unwrap();
    assert_eq!(api.host().trim_end_matches('/'), second.url);
    assert!(api.login(&"secret".into()).await.is_err());
    assert_eq!((first.heard().len(), second.heard().len()), (1, 2));
}

#[tokio::test]
async fn kotak_is_not_sent_in_circles_or_nowhere() {
    let silent = Script::new([Act::Drop]).await;
    let to_it = Script::new([greeting(&silent.url)]).await;
    assert!(matches!(connect(&to_it.url).await, Err(Error::Broken(_))));
    assert_eq!(silent.heard().len(), 1);
    for nowhere in ["", "trade.example", "ftp://trade.example", "file:///etc"] {
        let script = Script::new([greeting(nowhere)]).await;
        assert!(matches!(connect(&script.url).await, Err(Error::Invalid(_))), "{nowhere}");
    }
    let endless = Script::sending_on().await;
    assert!(matches!(connect(&endless.url).await, Err(Error::Invalid(_))));
    assert_eq!(endless.heard().len(), 4);
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = Script::new([say(200, &[], "{}")]).await;
    for status in [301, 302, 303, 307, 308] {
        let script = Script::new([say(status, &[("Location", &elsewhere.url)], "")]).await;
        let api = kestra::AuthApi::with(&script.url, &options()).unwrap().with_token("secret".into());
        assert_eq!(api.accept_invitation("i").await.unwrap_err().status().unwrap().as_u16(), status);
        assert_eq!(api.index().await.unwrap_err().status().unwrap().as_u16(), status);
    }
    assert!(elsewhere.heard().is_empty());
}

#[tokio::test]
async fn kotak_goes_through_its_proxy() {
    let proxy = Script::new([greeting("http://trade.example/apim"), say(401, &[], "")]).await;
    let configuration = configuration("http://trade.example/apim").proxy_url(&proxy.url).proxy_user("ann").proxy_pass("hidden");
    assert!(!format!("{configuration:?}").contains("hidden"));
    let mut api = SessionApi::session_init(configuration).await.unwrap();
    assert!(api.login(&"secret".into()).await.is_err());
    let heard = proxy.heard();
    assert!(heard[0].starts_with("GET http://trade.example/apim/session/1.0/session/init HTTP/1.1"), "{}", heard[0]);
    // Basic ann:hidden
    assert!(heard.iter().all(|request| request.to_lowercase().contains("proxy-authorization: basic yw5uomhpzgrlbg==")));

    // To an https service the proxy opens a tunnel, and sees nothing of what goes through.
    let proxy = Script::new([say(407, &[], "")]).await;
    let configuration = Configuration::new("access", "ann", "consumer", "i", "app").proxy_url(&proxy.url);
    assert!(matches!(SessionApi::session_init(configuration).await, Err(Error::Broken(_))));
    let heard = proxy.heard();
    assert!(heard[0].starts_with("CONNECT tradeapi.kotaksecurities.com:443 HTTP/1.1"), "{}", heard[0]);
    assert!(heard.iter().all(|request| !request.contains("access") && !request.contains("consumer")));
}

#[test]
fn what_is_no_place_is_a_mistake_at_once() {
    for host in ["", "localhost", "localhost:8080", "ftp://a", "https://ann:pw@a.example", "https://a.example/?q"] {
        assert!(kestra::AuthApi::with_host(host).is_err(), "{host}");
    }
    let proxy = |url: &str| Options::default().proxy(Proxy::Through { url: url.to_owned(), credentials: None });
    assert!(kestra::AuthApi::with("http://localhost", &proxy("::")).is_err());
    assert!(kestra::AuthApi::with("http://localhost", &options().root_certificates("none")).is_err());
    assert!(kestra::AuthApi::with("http://localhost", &options().user_agent("a\nb")).is_err());
}
