//! Callers, their keys, and what is remembered of them, under a clock turned by
//! hand.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::Refusal;
use countersign_domain::model::{
    ApiKey, Caller, CallerKey, CallerName, KeyHash, KeyUse, Role, SubjectAltName, Timestamp,
};
use countersign_domain::ports::{AllCallers, Clock as _};
use countersign_domain::testing::HandClock;
use countersign_proto::KEY_MUST_BE_KNOWN;
use countersign_transport::PeerCertificate;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::{CallerAuthenticator, Unidentified};
use crate::system::SystemRandom;

const KEY: &str = "csk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SECOND_KEY: &str = "csk_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
const HOUR: Duration = Duration::from_secs(3600);

fn key(secret: &str, expires_at: Option<Timestamp>) -> CallerKey {
    CallerKey {
        hash: KeyHash::of(secret),
        created_at: Timestamp::from_seconds(0),
        expires_at,
        last_used_at: None,
    }
}

fn shop_with(keys: Vec<CallerKey>) -> Caller {
    Caller {
        name: CallerName::parse("shop").expect("a name"),
        roles: vec![Role::Service],
        keys,
        sans: vec![],
        created_at: Timestamp::from_seconds(0),
    }
}

fn shop() -> Caller {
    shop_with(vec![key(KEY, None)])
}

fn authenticator(callers: Vec<Caller>, is_loopback: bool) -> CallerAuthenticator {
    CallerAuthenticator::new(callers.into(), is_loopback, Arc::new(HandClock::new()))
}

fn with_keys(keys: &[&str]) -> HeaderMap {
    let header = |key: &&str| format!("Bearer {key}").parse().expect("a header");
    let headers = keys.iter().map(|key| (AUTHORIZATION, header(key)));
    headers.collect()
}

fn name_of(callers: &CallerAuthenticator, headers: &HeaderMap) -> Result<String, Unidentified> {
    callers.identify(headers, None, |caller| {
        caller.map(|caller| caller.name.clone())
    })
}

#[test]
fn without_callers_loopback_is_open_and_nothing_else() {
    let nothing = HeaderMap::new();
    let open = authenticator(vec![], true);
    assert_eq!(name_of(&open, &nothing), Ok("local".to_owned()));
    let closed = authenticator(vec![], false);
    assert_eq!(name_of(&closed, &nothing), Err(Unidentified::Unknown));
}

#[test]
fn with_a_caller_loopback_is_closed_to_others() {
    let callers = authenticator(vec![shop()], true);
    assert_eq!(name_of(&callers, &with_keys(&[KEY])), Ok("shop".to_owned()));
    for keys in [
        &[][..],
        &["csk_B"],
        &[KEY, "csk_B"],
        &["csk_B", KEY],
        &[KEY, KEY],
    ] {
        let refused = name_of(&callers, &with_keys(keys));
        assert_eq!(refused, Err(Unidentified::Unknown), "{keys:?}");
    }
}

#[test]
fn what_was_closed_stays_closed_when_the_last_caller_goes() {
    let nothing = HeaderMap::new();
    for (callers, changes) in [
        (vec![shop()], vec![vec![]]),
        (vec![], vec![vec![], vec![shop()], vec![]]),
        // A caller whose only key cannot be read is a caller all the same.
        (vec![], vec![vec![shop_with(vec![])]]),
    ] {
        let callers = authenticator(callers, true);
        for change in changes {
            callers.replace(change.into());
        }
        assert!(!callers.is_open());
        for headers in [&nothing, &with_keys(&[KEY])] {
            assert_eq!(name_of(&callers, headers), Err(Unidentified::Unknown));
        }
    }
}

#[test]
fn a_caller_that_cannot_be_read_closes_too() {
    let unreadable = || AllCallers {
        unreadable: vec!["shop".into()],
        ..AllCallers::default()
    };
    let clock = || Arc::new(HandClock::new());
    let at_the_start = CallerAuthenticator::new(unreadable(), true, clock());
    let later = CallerAuthenticator::new(AllCallers::default(), true, clock());
    assert!(later.is_open());
    later.replace(unreadable());
    for callers in [at_the_start, later] {
        assert!(!callers.is_open());
        let refused = name_of(&callers, &HeaderMap::new());
        assert_eq!(refused, Err(Unidentified::Unknown));
    }
}

#[test]
fn a_caller_may_do_what_its_roles_say() {
    let callers = authenticator(vec![shop()], true);
    let required = |roles: &[Role]| {
        callers.identify(&with_keys(&[KEY]), None, |caller| {
            caller.expect("it is known").require(roles)
        })
    };
    assert_eq!(required(&[Role::Gateway, Role::Service]), Ok(()));
    assert_eq!(
        required(&[Role::Gateway, Role::Operator]),
        Err(Refusal::CallerNotPermitted(Role::Gateway))
    );
}

#[test]
fn either_of_two_keys_is_good_and_each_goes_by_itself() {
    let both = shop_with(vec![key(KEY, None), key(SECOND_KEY, None)]);
    let callers = authenticator(vec![both], true);
    for secret in [KEY, SECOND_KEY] {
        assert_eq!(name_of(&callers, &with_keys(&[secret])), Ok("shop".into()));
    }
    callers.replace(vec![shop_with(vec![key(SECOND_KEY, None)])].into());
    let gone = name_of(&callers, &with_keys(&[KEY]));
    assert_eq!(gone, Err(Unidentified::Unknown));
    let kept = name_of(&callers, &with_keys(&[SECOND_KEY]));
    assert_eq!(kept, Ok("shop".into()));
}

#[test]
fn a_key_is_refused_from_its_expiry_on_without_asking_anybody() {
    let clock = Arc::new(HandClock::new());
    let expires_at = clock.now().plus(HOUR);
    let caller = shop_with(vec![key(KEY, Some(expires_at)), key(SECOND_KEY, None)]);
    let callers = CallerAuthenticator::new(vec![caller].into(), true, clock.clone());
    let headers = with_keys(&[KEY]);
    clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(name_of(&callers, &headers), Ok("shop".into()));
    clock.advance(Duration::from_millis(1));
    let expired = Unidentified::KeyExpired {
        caller: "shop".into(),
        key: KeyHash::of(KEY).id(),
        since: expires_at,
    };
    assert_eq!(name_of(&callers, &headers), Err(expired));
    let other = name_of(&callers, &with_keys(&[SECOND_KEY]));
    assert_eq!(other, Ok("shop".into()));
}

#[test]
fn a_use_is_noted_once_a_minute_and_only_of_keys_that_were_used() {
    let clock = Arc::new(HandClock::new());
    let caller = || shop_with(vec![key(KEY, None), key(SECOND_KEY, None)]);
    let callers = CallerAuthenticator::new(vec![caller()].into(), true, clock.clone());
    let mut noted = 0;
    for _ in 0..3 {
        for _ in 0..100 {
            name_of(&callers, &with_keys(&[KEY])).expect("known");
            name_of(&callers, &with_keys(&["csk_C"])).expect_err("unknown");
            let uses = callers.uses_to_note();
            callers.noted(&uses);
            for KeyUse { hash, at, .. } in &uses {
                assert_eq!(*hash, KeyHash::of(KEY));
                assert!(clock.now().since(*at) < Duration::from_secs(60));
            }
            noted += uses.len();
        }
        clock.advance(Duration::from_secs(60));
        callers.look_at_the_clock();
    }
    assert_eq!(noted, 3);
}

#[test]
fn a_use_that_could_not_be_noted_outlives_a_change_of_the_caller() {
    let clock = Arc::new(HandClock::new());
    let callers = CallerAuthenticator::new(vec![shop()].into(), true, clock.clone());
    name_of(&callers, &with_keys(&[KEY])).expect("known");
    let uses = callers.uses_to_note();
    assert_eq!(uses.len(), 1);
    let roles = vec![Role::Gateway];
    callers.replace(vec![Caller { roles, ..shop() }].into());
    assert_eq!(callers.uses_to_note(), uses);

    // Another replica has noted a later one.
    let mut known = shop();
    known.keys[0].last_used_at = Some(clock.now().plus(HOUR));
    callers.replace(vec![known].into());
    assert_eq!(callers.uses_to_note(), []);
}

#[test]
fn a_certificate_is_its_callers_and_contradicts_no_key() {
    let named = |name: &str, keys, sans: &[&str]| Caller {
        name: CallerName::parse(name).expect("a name"),
        sans: sans
            .iter()
            .map(|san| SubjectAltName::parse(san).expect("a name"))
            .collect(),
        ..shop_with(keys)
    };
    let shop = named("shop", vec![key(KEY, None)], &["spiffe://x/shop", "shop.x"]);
    let web = named("web", vec![key(SECOND_KEY, None)], &["spiffe://x/web"]);
    let callers = authenticator(vec![shop, web], true);
    let shown = |names: &[&str], keys: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let certificate = PeerCertificate { names };
        let found = callers.identify(&with_keys(keys), Some(&certificate), |caller| {
            caller.map(|caller| caller.name.clone())
        });
        found.map_err(|why| why.to_string())
    };
    for (names, keys, expected) in [
        (&["spiffe://x/shop"][..], &[][..], Ok("shop")),
        (&["other.x", "shop.x", "spiffe://x/shop"], &[], Ok("shop")),
        (&["shop.x"], &[KEY], Ok("shop")),
        (
            &["shop.x"],
            &[SECOND_KEY],
            Err("that of shop, the key that of web"),
        ),
        (&["shop.x"], &["csk_C"], Err("not known")),
        (&["shop.x"], &[KEY, KEY], Err("not known")),
        (&["shop.x", "spiffe://x/web"], &[], Err("two callers")),
        (&["other.x"], &[], Err("no caller: [\"other.x\"]")),
        (&["other.x"], &[KEY], Err("no caller")),
        (&["x/shop\n"], &[], Err("\\n")),
        (&[], &[], Err("no names")),
    ] {
        match (shown(names, keys), expected) {
            (Ok(name), Ok(expected)) => assert_eq!(name, expected),
            (Err(why), Err(part)) => assert!(why.contains(part), "{part}: {why}"),
            (found, _) => panic!("{names:?} {keys:?}: {found:?}"),
        }
    }
}

#[test]
fn the_gateway_of_the_process_is_known_by_its_key_with_and_without_callers() {
    let unknown = || Err(Unidentified::Unknown);
    let key = ApiKey::generate(&SystemRandom);
    let operators_key = ApiKey::generate(&SystemRandom);
    for (callers, of_nobody) in [(vec![], Ok("local".to_owned())), (vec![shop()], unknown())] {
        let callers = authenticator(callers, true)
            .with_gateway(&key)
            .with_gateway_operators(&operators_key);
        let named = |keys: &[&str]| name_of(&callers, &with_keys(keys));
        assert_eq!(named(&[key.expose()]), Ok("gateway".to_owned()));
        let operators = Ok("gateway-operators".to_owned());
        assert_eq!(named(&[operators_key.expose()]), operators);
        assert_eq!(named(&["csk_of_nobody"]), of_nobody);
        assert_eq!(named(&[key.expose(), key.expose()]), of_nobody);
        // As the gateway hands on the key of a stranger.
        let mut headers = with_keys(&["csk_of_nobody"]);
        headers.insert(KEY_MUST_BE_KNOWN, HeaderValue::from_static("1"));
        assert_eq!(name_of(&callers, &headers), unknown());
    }
}
