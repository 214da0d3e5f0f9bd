//! The stylesheet, the script and the icons, which stand in the program.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::problem::Problem;
use crate::state::State;

/// Until the next release, at the most for an hour: the names stay the same.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=3600");

const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const JAVASCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const SVG: HeaderValue = HeaderValue::from_static("image/svg+xml");

/// What is served, and as what.
static ASSETS: [(&str, HeaderValue, &str); 4] = [
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
];

/// The same, compressed once. Pages are not: they hold what others must not guess (BREACH).
static COMPRESSED: LazyLock<[Bytes; 4]> =
    LazyLock::new(|| ASSETS.each_ref().map(|(_, _, body)| compressed(body)));

pub(super) fn routes() -> Router<State> {
    let mut router = Router::new();
    for (number, (path, content_type, body)) in ASSETS.iter().enumerate() {
        let serve = async move |headers: HeaderMap| {
            let shared = [
                (CONTENT_TYPE, content_type.clone()),
                (CACHE_CONTROL, FRESH),
                (VARY, HeaderValue::from_static("accept-encoding")),
            ];
            match takes_gzip(&headers) {
                true => {
                    let encoding = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
                    (shared, encoding, COMPRESSED[number].clone()).into_response()
                }
                false => (shared, *body).into_response(),
            }
        };
        router = router.route(path, get(serve));
    }
    router
        .route("/assets/brand.css", get(brand_css))
        .route("/assets/logo", get(logo))
}

/// Whether gzip is among what a browser takes (RFC 9110, section 12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).iter();
    let mut codings = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.replace(' ', "").trim_end_matches(['0', '.']) == "q=";
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn compressed(body: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(body.as_bytes());
    let bytes = written.and_then(|()| encoder.finish());
    bytes.expect("memory takes everything").into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_what_a_browser_takes() {
        for (given, expected) in [
            (None, false),
            (Some("gzip, deflate, br"), true),
            (Some("br;q=1.0, GZIP;q=0.5"), true),
            (Some("gzip;q=0"), false),
            (Some("gzip; q=0.000"), false),
            (Some("br, identity"), false),
            (Some("xgzip"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(given));
            }
            assert_eq!(takes_gzip(&headers), expected, "{given:?}");
        }
        assert!(COMPRESSED[0].len() * 3 < ASSETS[0].2.len());
    }
}
