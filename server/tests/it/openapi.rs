//! The published documents: what clients that were made from them rest on, and where they are.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::app::TestApp;
use super::process::Place;
use super::published::{DOCUMENTS, METHODS, document, mounted};
use super::reply::Ask;

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten().filter(|(_, value)| value["x-added"] != true)
}

/// The last part of a reference, or the type.
fn form(schema: &Value) -> String {
    match (&schema["$ref"], &schema["type"], &schema["items"], &schema["additionalProperties"]) {
        (Value::String(at), ..) => at.rsplit('/').next().unwrap().to_owned(),
        (_, _, Value::Object(_), _) => format!("[{}]", form(&schema["items"])),
        (.., Value::Object(_)) => format!("{{{}}}", form(&schema["additionalProperties"])),
        (_, Value::String(kind), ..) => kind.clone(),
        _ => "anything".to_owned(),
    }
}

fn contents(value: &Value) -> String {
    object(&value["content"]).map(|(media_type, content)| format!(" {media_type} {}", form(&content["schema"]))).collect()
}

/// What an API's own document says, a line for each fact that decides what a client made from it looks like. Wording is left out, and so
/// is what this server adds.
fn facts(name: &str) -> String {
    let document = document(name);
    let mut out = String::new();
    for (_, server) in
        document["servers"].as_array().unwrap().iter().map(|server| ("", server)).filter(|(_, at)| at["x-added"] != true)
    {
        writeln!(out, "at {}", server["url"].as_str().unwrap()).unwrap();
    }
    for (path, item) in object(&document["paths"]) {
        for (method, operation) in object(item) {
            let security: Vec<_> =
                operation["security"].as_array().into_iter().flatten().flat_map(|one| one.as_object().unwrap().keys()).collect();
            let (id, tag) = (operation["operationId"].as_str().unwrap(), operation["tags"][0].as_str().unwrap());
            writeln!(out, "{} {path} {tag}.{id} {security:?}", method.to_uppercase()).unwrap();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert_eq!(parameter["required"], true, "{name} {id}");
                let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
                writeln!(out, "  {place} {name} {}", form(&parameter["schema"])).unwrap();
            }
            if let Some(body) = operation.get("requestBody") {
                let optional = if body["required"] == true { "" } else { " or nothing" };
                writeln!(out, "  takes{}{optional}", contents(body)).unwrap();
            }
            for (status, response) in object(&operation["responses"]) {
                let headers: Vec<_> = object(&response["headers"]).map(|(name, _)| name.as_str()).collect();
                writeln!(out, "  {status}{} {}", contents(response), headers.join(" ")).unwrap();
            }
        }
    }
    for (name, schema) in object(&document["components"]["schemas"]) {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let member = |(name, schema): (&String, &Value)| {
            let optional = if required.iter().any(|known| known == name) { "" } else { "?" };
            format!(" {name}{optional}:{}", form(schema))
        };
        let members: String = object(&schema["properties"]).map(member).collect();
        writeln!(out, "{name}:{members}").unwrap();
    }
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn kalshi_says_what_its_clients_were_made_from() {
    insta::assert_snapshot!(facts("kalshi"), @r#"
    at https://trading-api.kalshi.com/v1
    POST /log_in auth.Login []
      takes application/json LoginRequest or nothing
      200 application/json LoginResponse Set-Cookie
      400 code details message service
      401 code details message service
      403 code details message service
      500 code details message service
      503 code details message service
    POST /log_out auth.Logout ["cookie"]
      204
      400 code details message service
      401 code details message service
      403 code details message service
      500 code details message service
      503 code details message service
    POST /passwords/reset auth.ResetPassword []
      takes application/json ResetPasswordRequest or nothing
      202
      400 code details message service
      500 code details message service
      503 code details message service
    PUT /passwords/reset/{code}/confirm auth.ResetPasswordConfirm []
      path code string
      takes application/json ConfirmPasswordResetRequest or nothing
      204
      400 code details message service
      500 code details message service
      503 code details message service
    ConfirmPasswordResetRequest: password:string user_id:string
    LoginRequest: email:string password:string
    LoginResponse: access_level:string token:string user_id:string
    ResetPasswordRequest: email:string
    "#);
}

#[test]
fn kraken_says_what_its_clients_were_made_from() {
    insta::assert_snapshot!(facts("kraken"), @r#"
    POST /api/v1/auth/finishAuth Authentication.finishAuth []
      takes application/json object
      200
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    POST /api/v1/auth/finishRegister Authentication.finishRegister []
      takes application/json FinishRegisterRequest
      200
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    POST /api/v1/auth/login Authentication.login []
      takes application/json LoginRequest
      200
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    GET /api/v1/auth/logout Authentication.logout []
      200
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    POST /api/v1/auth/startAuth Authentication.startAuth []
      200 application/json object
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    POST /api/v1/auth/startRegister Authentication.startRegister []
      200 application/json object
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    GET /api/v1/auth/test Authentication.test []
      200
      400 application/json ApiErrorResponse
      500 application/json ApiErrorResponse
    ApiErrorResponse: message:string status_code:ApiStatusCode
    ApiStatusCode:
    FinishRegisterRequest: name:string
    LoginRequest: password:string username:string
    "#);
}

#[test]
fn kestra_says_what_its_clients_were_made_from() {
    insta::assert_snapshot!(facts("kestra"), @r#"
    GET /api/v1/auths Auth.index []
      200 application/json AuthController.Auth
    GET /api/v1/forgotten-password Auth.forgottenPassword []
      query username string
      200 application/json object
    POST /api/v1/invitation/accept/{invitationId} Auth.acceptInvitation []
      path invitationId string
      200 application/json object
    POST /api/v1/invitation/create/{invitationId} Auth.createFromInvitation []
      path invitationId string
      takes application/json AuthController.InvitationUserRequest
      200 application/json object
    GET /api/v1/request-code/{email} Auth.requestCode []
      path email string
      200 application/json object
    POST /api/v1/reset-password Auth.resetPassword []
      takes application/json AuthController.ResetPasswordRequest
      200 application/json object
    AuthController.Auth: loginPassword?:boolean mailsEnabled?:boolean oauths?:[string] passwordless?:boolean
    AuthController.InvitationUserRequest: firstName:string lastName:string password:string
    AuthController.ResetPasswordRequest: password?:string token?:string
    "#);
}

#[test]
fn kotak_says_what_its_clients_were_made_from() {
    insta::assert_snapshot!(facts("kotak"), @r#"
    at https://tradeapi.kotaksecurities.com/apim
    POST /session/1.0/session/2FA/accesscode Session.generate-session2FA ["bearerAuth"]
      header oneTimeToken string
      header consumerKey string
      header ip string
      header appId string
      takes application/json UserDetails or nothing
      200 application/json object
      400 application/json {Fault}
      401 application/json {Fault}
      429 application/json {Fault}
      500 application/json {Fault}
      503 application/json {Fault}
      504 application/json {Fault}
    GET /session/1.0/session/init Session.session-init ["bearerAuth"]
      header userid string
      header consumerKey string
      header ip string
      header appId string
      200 application/json object
      400 application/json {Fault}
      401 application/json {Fault}
      429 application/json {Fault}
      500 application/json {Fault}
      503 application/json {Fault}
      504 application/json {Fault}
    POST /session/1.0/session/login/userid Session.login-with-user-id ["bearerAuth"]
      header consumerKey string
      header ip string
      header appId string
      takes application/json UserCredentials or nothing
      200 application/json object
      400 application/json {Fault}
      401 application/json {Fault}
      429 application/json {Fault}
      500 application/json {Fault}
      503 application/json {Fault}
      504 application/json {Fault}
    DELETE /session/1.0/session/logout Session.session-logout ["bearerAuth"]
      header sessionToken string
      header consumerKey string
      header ip string
      header appId string
      header userid string
      200 application/json object
      400 application/json {Fault}
      429 application/json {Fault}
      500 application/json {Fault}
      503 application/json {Fault}
      504 application/json {Fault}
    Fault: code?:integer description?:string message?:string
    UserCredentials: password?:string userid?:string
    UserDetails: accessCode?:string userid?:string
    "#);
}

/// Every object of a document.
fn walk<'a>(value: &'a Value, seen: &mut impl FnMut(&'a Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            seen(members);
            members.values().for_each(|member| walk(member, seen));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
        _ => {}
    }
}

#[test]
fn the_documents_are_sound() {
    assert_eq!(
        DOCUMENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["native", "admin", "kalshi", "kraken", "kestra", "kotak"]
    );
    for (name, document) in DOCUMENTS.iter() {
        assert_eq!(document["openapi"], "3.0.3", "{name}");
        walk(document, &mut |members| {
            if let Some(at) = members.get("$ref").and_then(Value::as_str) {
                assert!(document.pointer(at.trim_start_matches('#')).is_some(), "{name}: {at} refers to nothing");
                assert_eq!(members.len(), 1, "{name}: something stands beside {at}");
            }
            let kind = members.get("type");
            assert!(kind.is_none_or(|kind| !kind.is_array() && kind != "null"), "{name}: {kind:?} is of 3.1");
        });
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in METHODS.iter().filter_map(|method| item.get(*method)) {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id), "{name} has two operations {id}");
                assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{name} {id} has no summary");
                let named = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path").count();
                assert_eq!(named, path.matches('{').count(), "{name} {id}");
                let answers = operation["responses"].as_object().unwrap();
                assert!(
                    answers.values().all(|answer| answer["description"].as_str().is_some_and(|text| !text.is_empty())),
                    "{name} {id}"
                );
            }
        }
    }
}

/// `Allow` names the methods that are mounted.
#[tokio::test]
async fn what_is_published_is_mounted_and_nothing_else() {
    let app = TestApp::new().await;
    for (name, document) in DOCUMENTS.iter() {
        for (path, item) in document["paths"].as_object().unwrap() {
            let at = mounted(document, path, item);
            let concrete: Vec<_> = at.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
            let reply = app.send(Ask::new("PROPFIND", concrete.join("/"))).await.expect(405);
            let allowed: BTreeSet<_> =
                reply.headers["allow"].to_str().unwrap().split(',').map(|word| word.trim().to_lowercase()).collect();
            let published = METHODS.iter().filter(|method| item.get(**method).is_some()).map(|method| (*method).to_owned());
            let published: BTreeSet<_> = published.collect();
            assert_eq!(allowed.into_iter().filter(|method| method != "head").collect::<BTreeSet<_>>(), published, "{name} {at}");
        }
    }
}

#[tokio::test]
async fn the_documents_are_served() {
    let app = TestApp::new().await;
    for (name, document) in DOCUMENTS.iter() {
        let reply = app.send(Ask::get(format!("/openapi/{name}.json"))).await.expect(200);
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.json(), *document, "{name}");
    }
    app.send(Ask::get("/openapi/other.json")).await.expect(404);
    app.send(Ask::post("/openapi/native.json")).await.expect(405);
}

#[tokio::test]
async fn a_dialect_that_is_switched_off_has_no_document() {
    let app = TestApp::with(&[("dialects.kraken", "false"), ("dialects.native", "false")]).await;
    for (name, _) in DOCUMENTS.iter() {
        let status = if matches!(*name, "kraken" | "native" | "admin") { 404 } else { 200 };
        app.send(Ask::get(format!("/openapi/{name}.json"))).await.expect(status);
    }
    let page = app.send(Ask::get("/docs")).await.expect(200).text();
    assert!(page.contains("openapi/kotak.json") && !page.contains("openapi/kraken.json"), "{page}");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let app = TestApp::new().await;
    let page = app.send(Ask::get("/docs")).await.expect(200);
    insta::assert_snapshot!(page.headers["content-security-policy"].to_str().unwrap(), @"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
    for (path, media_type) in [("/docs/docs.js", "text/javascript; charset=utf-8"), ("/docs/docs.css", "text/css; charset=utf-8")]
    {
        let file = app.send(Ask::get(path)).await.expect(200);
        assert_eq!(file.headers["content-type"], media_type);
        assert!(page.text().contains(&path[1..]), "{path}");
        for word in ["//cdn", "http://", "https://", "innerHTML", "eval("] {
            assert!(!file.text().contains(word), "{path} has {word}");
        }
    }
    for (name, _) in DOCUMENTS.iter() {
        assert!(page.text().contains(&format!("<a href=\"openapi/{name}.json\">{name}</a>")), "{name}");
    }
    for word in ["http://", "https://", "<style", "onclick", "javascript:"] {
        assert!(!page.text().contains(word), "the page has {word}");
    }
}

#[test]
fn the_command_line_writes_them() {
    let place = Place::new();
    let written = place.json("openapi kalshi --public-url https://login.example.org", "");
    assert_eq!(written["servers"][0]["url"], "https://login.example.org/v1");
    assert_eq!(
        written["paths"],
        document("kalshi")["paths"]
            .as_object()
            .map(|paths| {
                let text = Value::Object(paths.clone()).to_string().replace(super::app::ORIGIN, "https://login.example.org");
                serde_json::from_str::<Value>(&text).unwrap()
            })
            .unwrap()
    );
    let refused = place.refused("openapi kraken --dialects-kraken false", "", 2);
    assert!(refused.contains("kraken is switched off"), "{refused}");
}
