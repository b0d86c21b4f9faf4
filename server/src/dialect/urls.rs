//! A dialect's URL table: one list of handlers, from which both what is mounted and what is published come. Mounting asks the annotations
//! for nothing but method and path: the rest of them is many thousand objects, which a start should not wait for.

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;
use utoipa_axum::PathItemExt as _;

use super::shared::Shared;

/// `urls![module::handler, …]` makes two functions of the annotated handlers: `served()`, their router, and `described()`, their annotations.
macro_rules! urls {
    ($($module:ident::$handler:ident),+ $(,)?) => {
        /// The handlers at their URLs.
        pub(super) fn served() -> axum::Router<$crate::dialect::shared::Shared> {
            let router = axum::Router::new();
            $(let router = utoipa_axum::paste! {
                $crate::dialect::urls::mount::<$module::[<__path_ $handler>], _, _>(router, &$module::$handler)
            };)+
            router
        }

        /// Their annotations.
        pub(super) fn described() -> utoipa::openapi::OpenApi {
            utoipa_axum::router::OpenApiRouter::<$crate::dialect::shared::Shared>::default()
                $(.routes(utoipa_axum::routes!($module::$handler)))+
                .into_openapi()
        }
    };
}
pub(super) use urls;

/// Adds a handler where its annotation `P` says.
pub(super) fn mount<P: utoipa::Path, H: Handler<T, Shared>, T: 'static>(router: Router<Shared>, handler: &H) -> Router<Shared> {
    let methods = P::methods();
    let on = |mounted: MethodRouter<Shared>, method: &utoipa::openapi::HttpMethod| {
        mounted.on(method.to_method_filter(), handler.clone())
    };
    router.route(&P::path(), methods.iter().fold(MethodRouter::new(), on))
}
