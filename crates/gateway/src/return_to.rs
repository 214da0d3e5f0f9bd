//! Where a sign-in leads back to: a page of the gateway, or of a host that the settings allow. Anything else would let
//! a link to the sign-in page lead people to a stranger's site.

use http::Uri;

use crate::cookies;
use crate::state::State;

/// The place, if it is an allowed one.
pub(crate) fn checked(state: &State, place: &str) -> Option<String> {
    // Browsers pass over tabs and line ends, and read backslashes as slashes.
    let is_plain = place
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_allowed = is_plain && (is_own_page(place) || is_allowed_url(state, place));
    is_allowed.then(|| place.to_owned())
}

/// A path of the gateway; renewing would lead in circles.
fn is_own_page(place: &str) -> bool {
    place.starts_with('/') && !place.starts_with("//") && !place.starts_with(cookies::REFRESH_PATH)
}

fn is_allowed_url(state: &State, place: &str) -> bool {
    let Ok(uri) = place.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let authority = authority.as_str().to_ascii_lowercase();
    let own = state.public_url.origin();
    // Nobody is led out of TLS.
    let is_web = scheme == "https" || (scheme == "http" && own.starts_with("http://"));
    let is_listed = |allowed: &String| match allowed.strip_prefix('.') {
        Some(domain) => authority
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.') && is_host(rest)),
        None => authority == *allowed,
    };
    let is_own = format!("{scheme}://{authority}") == own;
    let is_own_page = is_own && !uri.path().starts_with(cookies::REFRESH_PATH);
    is_own_page || is_web && state.settings.return_hosts.iter().any(is_listed)
}

/// Neither a user before `@` nor a port.
fn is_host(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use crate::settings::PublicUrl;
    use crate::settings::tests::settings;

    use super::*;

    #[test]
    fn only_own_pages_and_allowed_hosts_are_led_to() {
        let public_url = PublicUrl::parse("https://login.example").unwrap();
        let state = State::new(settings(), public_url);
        for good in [
            "/",
            "/profile?tab=devices#top",
            "https://login.example/profile",
            "https://shop.example/cart",
            "https://Shop.example/cart",
            "https://dev.example:8443/cart",
            "https://a.apps.example/",
        ] {
            assert_eq!(checked(&state, good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "profile",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https:evil.example",
            "https:///evil.example",
            "https://evil.example/shop.example",
            "https://shop.example@evil.example/",
            "https://shop.example.evil.example/",
            "https://evilshop.example/",
            "https://apps.example/",
            "https://evilapps.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://dev.example/",
            "https://a.apps.example:8443/",
            "https://a@b.apps.example/",
            "http://login.example/",
            "https://login.example:8443/",
            "/session/renew?return_to=/",
            "https://login.example/session/renew",
            " https://shop.example/",
            "https://shop.example/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(checked(&state, bad), None, "{bad:?}");
        }
    }
}
