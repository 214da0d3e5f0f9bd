//! Claims on the wire, and the rules they are held to.

use super::*;

/// Good claims, for the tests of the whole crate.
pub(crate) fn claims() -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".into(),
        sub: "user".into(),
        aud: vec!["api".into()],
        exp: 1_900,
        iat: 1_000,
        nbf: None,
        jti: "token".into(),
        client_id: "web".into(),
        sid: "session".into(),
        grp: "default".into(),
        scope: vec![],
        roles: vec![],
        amr: vec![],
        acr: None,
        auth_time: 990,
    }
}

fn read_with(member: &str) -> Result<AccessClaims, Rejection> {
    let payload = format!(
        "{{\"iss\":\"i\",\"sub\":\"s\",\"exp\":1900,\"iat\":1000,\"jti\":\"j\",\"client_id\":\"c\",\
         \"sid\":\"x\",\"grp\":\"g\",\"auth_time\":990{member}}}"
    );
    AccessClaims::read(payload.as_bytes())
}

#[test]
fn empty_lists_are_left_out_and_a_single_audience_is_a_plain_string() {
    assert_eq!(
        serde_json::to_string(&claims()).expect("plain data"),
        concat!(
            r#"{"iss":"https://id.example","sub":"user","aud":"api","exp":1900,"iat":1000,"#,
            r#""jti":"token","client_id":"web","sid":"session","grp":"default","auth_time":990}"#
        )
    );
}

#[test]
fn full_lists_are_written_in_their_own_forms() {
    let full = AccessClaims {
        aud: vec!["api".into(), "files".into()],
        nbf: Some(1_000),
        scope: vec!["read".into(), "write".into()],
        roles: vec!["admin".into()],
        amr: vec!["pwd".into(), "otp".into()],
        acr: Some("aal2".into()),
        ..claims()
    };
    let json = serde_json::to_string(&full).expect("plain data");
    assert_eq!(
        json,
        concat!(
            r#"{"iss":"https://id.example","sub":"user","aud":["api","files"],"exp":1900,"#,
            r#""iat":1000,"nbf":1000,"jti":"token","client_id":"web","sid":"session","#,
            r#""grp":"default","scope":"read write","roles":["admin"],"amr":["pwd","otp"],"acr":"aal2","#,
            r#""auth_time":990}"#
        )
    );
    assert_eq!(AccessClaims::read(json.as_bytes()), Ok(full));
}

#[test]
fn an_audience_is_read_from_a_string_and_from_an_array() {
    assert_eq!(read_with(r#","aud":"a""#).expect("a string").aud, ["a"]);
    assert_eq!(read_with(r#","aud":["a"]"#).expect("an array").aud, ["a"]);
    assert_eq!(
        read_with(r#","aud":["a","b"]"#).expect("an array").aud,
        ["a", "b"]
    );
}

#[test]
fn unknown_claims_are_passed_over_unless_they_repeat() {
    assert!(read_with(r#","aud":"a","name":"x","address":{"a":[1,null]}"#).is_ok());
    assert_eq!(
        read_with(r#","aud":"a","name":"x","name":"x""#),
        Err(Rejection::InvalidClaims)
    );
}

#[test]
fn claims_that_are_not_an_object_are_refused() {
    let positional = r#"["i","s","a",1900,1000,null,"j","c","x","g","r",[],[],990]"#;
    for payload in [positional, "null", "", "{}", "[]", "1", "\"iss\"", "{"] {
        assert_eq!(
            AccessClaims::read(payload.as_bytes()),
            Err(Rejection::InvalidClaims),
            "{payload}"
        );
    }
}

#[test]
fn claims_that_are_not_utf_8_are_refused_even_where_nobody_looks() {
    let mut payload = serde_json::to_vec(&claims()).expect("plain data");
    payload.pop();
    payload.extend_from_slice(b",\"x\":\"\xff\"}");
    assert_eq!(AccessClaims::read(&payload), Err(Rejection::InvalidClaims));
}

#[test]
fn each_rule_names_the_claim_that_breaks_it() {
    type Break = fn(&mut AccessClaims);
    let broken: [(&str, Break); 17] = [
        ("iss", |c| c.iss.clear()),
        ("sub", |c| c.sub.clear()),
        ("jti", |c| c.jti.clear()),
        ("client_id", |c| c.client_id.clear()),
        ("sid", |c| c.sid.clear()),
        ("grp", |c| c.grp.clear()),
        ("aud", |c| c.aud.clear()),
        ("aud", |c| c.aud.push(String::new())),
        ("roles", |c| c.roles.push(String::new())),
        ("amr", |c| c.amr.push(String::new())),
        ("scope", |c| c.scope.push("two scopes".into())),
        ("scope", |c| c.scope.push(String::new())),
        ("exp", |c| c.exp = MAX_TIME + 1),
        ("iat", |c| c.iat = -1),
        ("nbf", |c| c.nbf = Some(-1)),
        ("auth_time", |c| c.auth_time = MAX_TIME + 1),
        ("exp", |c| c.exp = c.iat),
    ];
    assert_eq!(claims().check(), Ok(()));
    for (claim, breaks) in broken {
        let mut claims = claims();
        breaks(&mut claims);
        assert_eq!(claims.check(), Err(claim));
    }
}

#[test]
fn the_first_and_the_last_second_are_in_range() {
    let mut claims = claims();
    (claims.iat, claims.exp) = (0, MAX_TIME);
    assert_eq!(claims.check(), Ok(()));
}

#[test]
fn scopes_are_required_all_together() {
    let claims = AccessClaims {
        scope: vec!["read".into(), "write".into()],
        ..claims()
    };
    assert!(claims.has_scopes::<&str>(&[]));
    assert!(claims.has_scopes(&["write", "read"]));
    assert!(!claims.has_scopes(&["read", "delete"]));
    assert!(!claims.has_scopes(&["READ"]));
    assert!(!claims.has_scopes(&["read write"]));
}

#[test]
fn an_audience_is_accepted_byte_for_byte() {
    let claims = AccessClaims {
        aud: vec!["a".into(), "b".into()],
        ..claims()
    };
    assert!(claims.accepts_audience("b"));
    assert!(!claims.accepts_audience("B"));
    assert!(!claims.accepts_audience(""));
}
