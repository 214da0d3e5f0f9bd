//! The arguments of grpc-health-probe, in Go's spelling too: one dash or two,
//! `-tls` or `-tls=true`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use humantime_serde::re::humantime;

use super::channel::{IdentityFiles, Tls, Trust};

/// The flags that have a meaning of their own with one dash.
const SHORT: [&str; 2] = ["-h", "-V"];

#[derive(Debug, Args)]
#[command(
    after_help = "Flags may have one dash or two, as those of grpc-health-probe.\n\n\
                  Exit codes: 0 serving, 1 wrong arguments, 2 cannot connect, 3 the call failed \
                  (also for an unknown service), 4 not serving.\n\n\
                  Example: countersign healthcheck -addr=localhost:50051 \
                  -service=countersign.v1.AuthService"
)]
pub(super) struct ProbeArguments {
    /// Host and port of the server
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:50051")]
    pub(super) addr: String,
    /// Service to ask about; the server as a whole if empty
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) service: String,
    /// Longest time to connect
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(super) connect_timeout: Duration,
    /// Longest time for the answer
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(super) rpc_timeout: Duration,
    /// User agent of the call
    #[arg(long, value_name = "TEXT", default_value = "countersign-healthcheck")]
    pub(super) user_agent: String,
    /// Speak TLS
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value_t = false, hide_default_value = true, hide_possible_values = true,
          action = ArgAction::Set, value_name = "BOOL")]
    tls: bool,
    /// PEM file with the certification authority to trust
    #[arg(long, value_name = "FILE", conflicts_with = "tls_no_verify")]
    tls_ca_cert: Option<PathBuf>,
    /// Believe any certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          hide_possible_values = true, action = ArgAction::Set, value_name = "BOOL")]
    tls_no_verify: Option<bool>,
    /// Name in the server's certificate
    #[arg(long, value_name = "NAME", conflicts_with = "tls_no_verify")]
    tls_server_name: Option<String>,
    /// PEM file with a client certificate
    #[arg(long, value_name = "FILE", requires = "tls_client_key")]
    tls_client_cert: Option<PathBuf>,
    /// PEM file with the private key of the client certificate
    #[arg(long, value_name = "FILE", requires = "tls_client_cert")]
    tls_client_key: Option<PathBuf>,
    /// Say how long it took
    #[arg(long = "v", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          default_value_t = false, hide_default_value = true, hide_possible_values = true,
          action = ArgAction::Set, value_name = "BOOL")]
    pub(super) verbose: bool,
}

impl ProbeArguments {
    /// How the server is to prove itself.
    ///
    /// # Errors
    /// If a flag about TLS is given without `-tls`.
    pub(super) fn tls(&self) -> Result<Option<Tls>, &'static str> {
        if !self.tls {
            let is_given = self.tls_ca_cert.is_some()
                || self.tls_no_verify == Some(true)
                || self.tls_server_name.is_some()
                || self.tls_client_cert.is_some();
            return if is_given {
                Err(
                    "-tls-ca-cert, -tls-no-verify, -tls-server-name and -tls-client-cert need \
                     -tls",
                )
            } else {
                Ok(None)
            };
        }
        let trust = match &self.tls_ca_cert {
            _ if self.tls_no_verify == Some(true) => Trust::Anything,
            Some(path) => Trust::File(path.clone()),
            None => Trust::Machine,
        };
        let identity = self
            .tls_client_cert
            .clone()
            .zip(self.tls_client_key.clone());
        Ok(Some(Tls {
            trust,
            server_name: self.tls_server_name.clone(),
            identity: identity.map(|(certificate, private_key)| IdentityFiles {
                certificate,
                private_key,
            }),
        }))
    }
}

/// Brings flags with one dash to the form with two.
pub(super) fn normalise(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let to_two_dashes = |argument: OsString| match argument.to_str() {
        Some(text) if text.starts_with("--") || SHORT.contains(&text) => argument,
        Some(text) if text.len() > 1 && text.starts_with('-') => format!("-{text}").into(),
        _ => argument,
    };
    arguments.into_iter().map(to_two_dashes).collect()
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "must be a duration such as 500ms or 1s".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Probe {
        #[command(flatten)]
        arguments: ProbeArguments,
    }

    fn parse(line: &str) -> Result<ProbeArguments, clap::Error> {
        let words = line.split_whitespace().map(OsString::from);
        let words = std::iter::once("probe".into()).chain(normalise(words));
        Probe::try_parse_from(words).map(|probe| probe.arguments)
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        for line in [
            "-addr=h:1 -service=s -connect-timeout=250ms -rpc-timeout=1m30s -user-agent=u -v",
            "--addr=h:1 --service=s --connect-timeout=250ms --rpc-timeout=90s --user-agent=u --v",
            "-addr h:1 --service s -connect-timeout 0.25s -rpc-timeout 1.5m -user-agent u -v=true",
        ] {
            let arguments = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(arguments.addr, "h:1");
            assert_eq!(arguments.service, "s");
            assert_eq!(arguments.connect_timeout, Duration::from_millis(250));
            assert_eq!(arguments.rpc_timeout, Duration::from_secs(90));
            assert_eq!(arguments.user_agent, "u");
            assert!(arguments.verbose);
        }
    }

    #[test]
    fn tls_is_spoken_as_asked() {
        let tls = |line: &str| parse(line).map(|arguments| arguments.tls());
        let spoken = |trust, name: Option<&str>| {
            Ok(Some(Tls {
                trust,
                server_name: name.map(String::from),
                identity: None,
            }))
        };
        assert_eq!(tls("").expect("good"), Ok(None));
        assert_eq!(tls("-tls=false").expect("good"), Ok(None));
        assert_eq!(tls("-tls").expect("good"), spoken(Trust::Machine, None));
        assert_eq!(
            tls("-tls -tls-no-verify").expect("good"),
            spoken(Trust::Anything, None)
        );
        assert_eq!(
            tls("-tls -tls-ca-cert=/ca.pem -tls-server-name=auth").expect("good"),
            spoken(Trust::File("/ca.pem".into()), Some("auth"))
        );
        for line in [
            "-tls-no-verify",
            "-tls-ca-cert=/ca.pem",
            "-tls=false -tls-server-name=a",
            "-tls-client-cert=/c.pem -tls-client-key=/k.pem",
        ] {
            assert!(tls(line).expect("good words").is_err(), "{line}");
        }
        assert!(tls("-tls -tls-no-verify -tls-ca-cert=/ca.pem").is_err());
        assert!(tls("-tls -tls-client-cert=/c.pem").is_err());
        let shown = tls("-tls -tls-client-cert=/c.pem -tls-client-key=/k.pem");
        let identity = IdentityFiles {
            certificate: "/c.pem".into(),
            private_key: "/k.pem".into(),
        };
        let shown = shown.expect("good").expect("good").expect("TLS");
        assert_eq!(shown.identity, Some(identity));
    }

    #[test]
    fn what_the_probe_does_not_know_is_an_error() {
        for line in ["-address=h:1", "-rpc-timeout=soon", "extra", "-tls=maybe"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
