//! What ValidateToken is asked of the person's authentication (RFC 9470), as a domain
//! type.

use countersign_domain::Fields;
use countersign_domain::validation::RequiredAuthentication;
use countersign_proto::v1::ValidateTokenRequest;
use countersign_token::Acr;

use crate::grpc::convert;

/// As many values as there are.
const MAX_ACR_VALUES: usize = 2;

/// Whether a question asks anything of the authentication. Most do not.
pub(crate) fn is_asked(question: &ValidateTokenRequest) -> bool {
    question.max_authentication_age.is_some() || !question.acr_values.is_empty()
}

/// What a question asks of the authentication. Its fields lie under `path`.
pub(crate) fn read(
    fields: &mut Fields,
    path: &str,
    question: &ValidateTokenRequest,
) -> Option<RequiredAuthentication> {
    if !is_asked(question) {
        return None;
    }
    let max_age = question.max_authentication_age.and_then(|age| {
        let age = convert::read_duration(age);
        let age = age.filter(|age| RequiredAuthentication::MAX_AGES.contains(age));
        let rule = "must be 1 second to 365 days, nanos 0 to 999,999,999";
        fields.take(&format!("{path}max_authentication_age"), age.ok_or(rule))
    });
    if question.acr_values.len() > MAX_ACR_VALUES {
        fields.refuse(&format!("{path}acr_values"), "must have at most 2 items");
    }
    let values = question.acr_values.iter().take(MAX_ACR_VALUES).enumerate();
    let known = values.filter_map(|(index, value)| {
        let acr = Acr::parse(value).ok_or("must be aal1 or aal2");
        fields.take(&format!("{path}acr_values[{index}]"), acr)
    });
    // Any one of them is enough.
    let acr = known.min();
    Some(RequiredAuthentication { max_age, acr })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_domain::Error;

    use super::*;

    fn asked(seconds: i64, nanos: i32, acr_values: &[&str]) -> ValidateTokenRequest {
        ValidateTokenRequest {
            max_authentication_age: Some(prost_types::Duration { seconds, nanos }),
            acr_values: acr_values.iter().map(|value| (*value).to_owned()).collect(),
            ..Default::default()
        }
    }

    fn wrong_fields(question: &ValidateTokenRequest) -> Vec<String> {
        let mut fields = Fields::new();
        read(&mut fields, "requests[3].", question);
        match fields.finish(|| Some(())) {
            Err(Error::Invalid(violations)) => violations.into_iter().map(|v| v.field).collect(),
            other => panic!("expected violations, got {other:?}"),
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (seconds, nanos) in [
            (-1, 0),
            (0, 0),
            (0, 999_999_999),
            (5, -1),
            (5, 1_000_000_000),
            (-5, -5),
            (365 * 86_400, 1),
            (i64::MAX, 0),
            (i64::MIN, 0),
        ] {
            let wrong = wrong_fields(&asked(seconds, nanos, &[]));
            assert_eq!(wrong, ["requests[3].max_authentication_age"], "{seconds}");
        }
        let wrong = wrong_fields(&asked(0, 0, &["aal3", "AAL2", ""]));
        let fields = [
            "max_authentication_age",
            "acr_values",
            "acr_values[0]",
            "acr_values[1]",
        ];
        assert_eq!(wrong, fields.map(|field| format!("requests[3].{field}")));
    }

    #[test]
    fn one_of_the_values_is_enough() {
        let read = |acr_values: &[&str]| {
            let mut fields = Fields::new();
            let read = read(&mut fields, "", &asked(60, 5, acr_values));
            fields.finish(|| read).expect("good")
        };
        let max_age = Some(Duration::new(60, 5));
        for (values, acr) in [
            (&[][..], None),
            (&["aal2"], Some(Acr::Aal2)),
            (&["aal2", "aal1"], Some(Acr::Aal1)),
            (&["aal2", "aal2"], Some(Acr::Aal2)),
        ] {
            assert_eq!(read(values), RequiredAuthentication { max_age, acr });
        }
    }
}
