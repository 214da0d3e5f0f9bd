//! What `--help` and wrong usage say.

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _, Parser as _};

use crate::cli::arguments::Arguments;

fn leaves(command: &Command, path: &str) -> Vec<(String, Command)> {
    if command.get_subcommands().next().is_none() {
        return vec![(path.into(), command.clone())];
    }
    command
        .get_subcommands()
        .flat_map(|sub| leaves(sub, &format!("{path} {}", sub.get_name())))
        .collect()
}

#[test]
fn every_command_says_what_it_does_and_shows_an_example() {
    let root = Arguments::command();
    root.clone().debug_assert();
    let leaves = leaves(&root, "countersign");
    assert_eq!(leaves.len(), 52);
    for (path, mut command) in leaves {
        let help = command.render_long_help().to_string();
        assert!(command.get_about().is_some(), "{path} has no description");
        assert!(help.contains(&format!("Example: {path}")), "{path}: {help}");
        for argument in command.get_arguments() {
            let is_described = argument.get_help().is_some();
            assert!(
                is_described,
                "{path}: {} has no description",
                argument.get_id()
            );
        }
    }
}

#[test]
fn serving_is_the_default() {
    let arguments = Arguments::try_parse_from(["countersign", "--listen", "[::1]:1"]);
    let arguments = arguments.expect("good arguments");
    assert!(arguments.command.is_none());
    assert_eq!(arguments.flags.listen.as_deref(), Some("[::1]:1"));
}

#[test]
fn the_configuration_may_be_named_before_and_after_the_command() {
    for line in [
        "countersign --data-dir d --config c keys list",
        "countersign keys list --data-dir d --config c",
        "countersign keys --data-dir d list --config c",
    ] {
        let arguments = Arguments::try_parse_from(line.split(' ')).expect(line);
        assert_eq!(arguments.flags.data_dir.as_deref(), Some("d"), "{line}");
        assert_eq!(arguments.config, Some("c".into()), "{line}");
    }
}

#[test]
fn wrong_usage_is_told_apart() {
    for (line, kind) in [
        ("countersign dance", ErrorKind::InvalidSubcommand),
        ("countersign --colour", ErrorKind::UnknownArgument),
        (
            "countersign keys revoke",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "countersign caller new --name a",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "countersign caller new --name A --role service",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign caller new --name a --role king",
            ErrorKind::InvalidValue,
        ),
        (
            "countersign caller add-key a --expires-in 0s",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign caller add-key a --expires-in 99y",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign caller new --name a --role service --san *.example.com",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign caller new --name a --role service --san b --expires-in 1d",
            ErrorKind::ArgumentConflict,
        ),
        (
            "countersign caller add-san a *.example.com",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign group create staff --mfa-policy sometimes",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign group create staff --idle-ttl 1ms",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign group update staff --sign-in-ways password,smoke",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign group update staff --sign-up maybe",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign service-account secret create a --expires-at soon",
            ErrorKind::ValueValidation,
        ),
        (
            "countersign service-account key add a",
            ErrorKind::MissingRequiredArgument,
        ),
        (
            "countersign caller remove-key a 3F2A91BC",
            ErrorKind::ValueValidation,
        ),
    ] {
        let error = Arguments::try_parse_from(line.split(' ')).expect_err(line);
        assert_eq!(error.kind(), kind, "{line}");
        assert!(error.use_stderr(), "{line}");
    }
}
