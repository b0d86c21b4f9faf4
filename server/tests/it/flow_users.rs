//! Users, as administrators handle them.

use doorward::core::flows::session::Authority;
use doorward::core::flows::users;
use doorward::core::model::Role;

use super::app::TestApp;
use super::reply::Ask;

#[tokio::test]
async fn an_administrator_cannot_disable_or_delete_themselves() {
    let app = TestApp::new().await;
    let token = app.administrator().await;
    let id = app.session(&token).await.expect(200).at("/user/id");
    app.create("second", Role::Admin, true).await;
    for reference in [id.as_str(), "root", "ROOT", "root@example.com"] {
        for ask in
            [Ask::delete(format!("/admin/v1/users/{reference}")), Ask::post(format!("/admin/v1/users/{reference}/disable"))]
        {
            let refused = app.send(ask.bearer(&token)).await.expect(409);
            assert_eq!(refused.at("/type"), "urn:doorward:problem:conflict");
        }
    }
    app.session(&token).await.expect(200);
    // Another administrator is fair game, and who may run the command line may do all.
    app.send(Ask::post("/admin/v1/users/second/disable").bearer(&token)).await.expect(200);
    app.send(Ask::delete("/admin/v1/users/second").bearer(&token)).await.expect(204);
    users::disable(app.core(), &app.call(), Authority::operator(), "root").await.unwrap();
    app.session(&token).await.expect(401);
    users::delete(app.core(), &app.call(), Authority::operator(), "root").await.unwrap();
}
