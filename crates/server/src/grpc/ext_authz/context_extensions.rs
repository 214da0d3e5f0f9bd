//! What the proxy's configuration says that a token must be good for. A mistake in it
//! is refused by name: nothing that was written to protect is passed over.

use std::time::Duration;

use countersign_domain::Fields;
use countersign_domain::model::Scope;
use countersign_domain::validation::RequiredAuthentication;
use countersign_token::Acr;

/// The most scopes that can be required.
const MAX_SCOPES: usize = 64;

/// What a token must be good for.
#[derive(Debug, Default)]
pub(super) struct Required<'a> {
    /// Empty: the server's first.
    pub(super) audience: &'a str,
    pub(super) scopes: Vec<String>,
    pub(super) authentication: Option<RequiredAuthentication>,
    /// Whether requests pass that show nothing.
    pub(super) allows_anonymous: bool,
}

impl<'a> Required<'a> {
    /// Takes in one extension.
    pub(super) fn take(&mut self, fields: &mut Fields, key: &'a str, value: &'a str) {
        let wrong = match key {
            "audience" if self.audience.is_empty() => self.read_audience(value),
            "scopes" if self.scopes.is_empty() => self.read_scopes(value),
            "max_age" if self.asked().max_age.is_none() => self.read_max_age(value),
            "acr_values" if self.asked().acr.is_none() => self.read_acr_values(value),
            "anonymous" if !self.allows_anonymous => self.read_anonymous(value),
            "audience" | "scopes" | "max_age" | "acr_values" | "anonymous" => {
                Err("must be given once")
            }
            _ => Err("must be audience, scopes, max_age, acr_values or anonymous"),
        };
        if let Err(rule) = wrong {
            refuse(fields, key, rule);
        }
    }

    /// Refuses extensions that contradict each other.
    pub(super) fn finish(&self, fields: &mut Fields) {
        let asks = !self.scopes.is_empty() || self.authentication.is_some();
        if self.allows_anonymous && asks {
            let rule = "must not be given with scopes, max_age or acr_values: who shows no \
                        token has none of them";
            refuse(fields, "anonymous", rule);
        }
    }

    fn asked(&self) -> RequiredAuthentication {
        let nothing = RequiredAuthentication {
            max_age: None,
            acr: None,
        };
        self.authentication.unwrap_or(nothing)
    }

    fn read_audience(&mut self, value: &'a str) -> Result<(), &'static str> {
        if value.is_empty() {
            return Err("must not be empty");
        }
        self.audience = value;
        Ok(())
    }

    fn read_scopes(&mut self, value: &str) -> Result<(), &'static str> {
        let scopes = value.split(' ').take(MAX_SCOPES + 1).map(|scope| {
            Scope::parse(scope)?;
            Ok(scope.to_owned())
        });
        let scopes: Result<Vec<_>, &str> = scopes.collect();
        let rule = "must be 1 to 64 scopes with one space between them";
        let scopes = scopes.map_err(|_| rule)?;
        if scopes.len() > MAX_SCOPES {
            return Err(rule);
        }
        self.scopes = scopes;
        Ok(())
    }

    fn read_max_age(&mut self, value: &str) -> Result<(), &'static str> {
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = value.parse().ok().filter(|_| is_number);
        let age = seconds.map(Duration::from_secs);
        let age = age.filter(|age| RequiredAuthentication::MAX_AGES.contains(age));
        let age = age.ok_or("must be 1 to 31536000 seconds")?;
        self.authentication = Some(RequiredAuthentication {
            max_age: Some(age),
            ..self.asked()
        });
        Ok(())
    }

    fn read_acr_values(&mut self, value: &str) -> Result<(), &'static str> {
        let rule = "must be aal1 or aal2, or both with a space between them";
        let values: Option<Vec<_>> = value.split(' ').take(3).map(Acr::parse).collect();
        let values = values.filter(|values| values.len() <= 2).ok_or(rule)?;
        self.authentication = Some(RequiredAuthentication {
            // Any one of them is enough.
            acr: values.into_iter().min(),
            ..self.asked()
        });
        Ok(())
    }

    fn read_anonymous(&mut self, value: &str) -> Result<(), &'static str> {
        if value != "allow" {
            return Err("must be allow, or not be there");
        }
        self.allows_anonymous = true;
        Ok(())
    }
}

fn refuse(fields: &mut Fields, key: &str, rule: &str) {
    fields.refuse(&format!("attributes.context_extensions.{key}"), rule);
}

#[cfg(test)]
mod tests {
    use countersign_domain::Error;

    use super::*;

    fn read<'a>(extensions: &[(&'a str, &'a str)]) -> Result<Required<'a>, Vec<String>> {
        let mut fields = Fields::new();
        let mut required = Required::default();
        for (key, value) in extensions {
            required.take(&mut fields, key, value);
        }
        required.finish(&mut fields);
        match fields.finish(|| Some(required)) {
            Ok(required) => Ok(required),
            Err(Error::Invalid(violations)) => {
                let keys = violations.into_iter().map(|violation| {
                    let key = violation.field.rsplit('.').next();
                    key.unwrap_or_default().to_owned()
                });
                Err(keys.collect())
            }
            Err(other) => panic!("expected violations, got {other:?}"),
        }
    }

    #[test]
    fn all_of_them_are_read() {
        let required = read(&[
            ("scopes", "orders:read orders:write"),
            ("audience", "shop"),
            ("max_age", "300"),
            ("acr_values", "aal2 aal1"),
        ]);
        let required = required.expect("good");
        assert_eq!(required.scopes, ["orders:read", "orders:write"]);
        assert_eq!(required.audience, "shop");
        let asked = RequiredAuthentication {
            max_age: Some(Duration::from_secs(300)),
            acr: Some(Acr::Aal1),
        };
        assert_eq!(required.authentication, Some(asked));
        assert!(!required.allows_anonymous);
        let required = read(&[("anonymous", "allow"), ("audience", "shop")]);
        assert!(required.expect("good").allows_anonymous);
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        let many = vec!["a"; MAX_SCOPES + 1].join(" ");
        for (key, value) in [
            ("audience", ""),
            ("scopes", ""),
            ("scopes", " "),
            ("scopes", "orders:read "),
            ("scopes", "orders:read  orders:write"),
            ("scopes", "orders:\"read"),
            ("scopes", "orders:읽기"),
            ("scopes", &many),
            ("max_age", ""),
            ("max_age", "0"),
            ("max_age", "-1"),
            ("max_age", "+5"),
            ("max_age", "5s"),
            ("max_age", " 5"),
            ("max_age", "5.0"),
            ("max_age", "31536001"),
            ("max_age", "99999999999999999999"),
            ("acr_values", ""),
            ("acr_values", "aal3"),
            ("acr_values", "AAL2"),
            ("acr_values", "aal1,aal2"),
            ("acr_values", "aal1 aal2 aal1"),
            ("anonymous", ""),
            ("anonymous", "deny"),
            ("anonymous", "Allow"),
            ("anonymous", "true"),
            ("scope", "orders:read"),
            ("Scopes", "orders:read"),
            ("", ""),
        ] {
            let refused = read(&[(key, value)]).expect_err(value);
            assert_eq!(refused, [key], "{key} {value}");
        }
    }

    #[test]
    fn what_is_given_twice_or_contradicts_is_refused() {
        let twice = read(&[("scopes", "a"), ("scopes", "b")]);
        assert_eq!(twice.expect_err("twice"), ["scopes"]);
        for asked in [("scopes", "a"), ("max_age", "5"), ("acr_values", "aal2")] {
            for extensions in [
                [("anonymous", "allow"), asked],
                [asked, ("anonymous", "allow")],
            ] {
                let refused = read(&extensions).expect_err("a contradiction");
                assert_eq!(refused, ["anonymous"], "{extensions:?}");
            }
        }
    }
}
