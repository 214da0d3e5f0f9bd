//! The stylesheet, the script and the icons, which stand in the program.

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::problem::Problem;
use crate::state::State;

/// Until the next release, at the most for an hour: the names stay the same.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=3600");

const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");

pub(super) fn routes() -> Router<State> {
    let mut router = Router::new();
    for (path, content_type, body) in [
        (
            "/assets/style.css",
            CSS,
            include_str!("../../assets/style.css"),
        ),
        (
            "/assets/page.js",
            JAVASCRIPT,
            include_str!("../../assets/page.js"),
        ),
        (
            "/assets/icon.svg",
            SVG,
            include_str!("../../assets/icon.svg"),
        ),
        (
            "/assets/chevron.svg",
            SVG,
            include_str!("../../assets/chevron.svg"),
        ),
    ] {
        router = router.route(path, get(async move || served(content_type.clone(), body)));
    }
    router
        .route("/assets/brand.css", get(brand_css))
        .route("/assets/logo", get(logo))
}

async fn brand_css(Shared(state): Shared<State>) -> Response {
    match state.settings.brand.css() {
        Some(css) => ([(CONTENT_TYPE, CSS), (CACHE_CONTROL, FRESH)], css).into_response(),
        None => absent(),
    }
}

async fn logo(Shared(state): Shared<State>) -> Response {
    let Some(logo) = &state.settings.brand.logo else {
        return absent();
    };
    let (content_type, bytes) = logo.served();
    let content_type = HeaderValue::from_static(content_type);
    (
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, FRESH)],
        bytes,
    )
        .into_response()
}

fn absent() -> Response {
    let detail = "no brand is configured";
    Problem::new(StatusCode::NOT_FOUND, "PATH_UNKNOWN", detail).into_response()
}

fn served(content_type: HeaderValue, body: &'static str) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, FRESH)], body).into_response()
}
