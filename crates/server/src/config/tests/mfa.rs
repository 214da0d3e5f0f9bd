//! Who is asked for a second factor, in all groups and in some.

use countersign_domain::model::GroupId;
use countersign_domain::model::MfaPolicy;

use super::*;

#[test]
fn groups_have_policies_of_their_own() {
    let file = "[mfa]\npolicy = 'required'\n\
                group_policies = ['staff = required_for_unknown_devices', 'guests=off']";
    let config = given().file(file).good();
    let settings = config.settings();
    let of = |group: &str| settings.mfa_policy_of(&GroupId::parse(group).expect("a group"));
    assert_eq!(of("staff"), MfaPolicy::RequiredForUnknownDevices);
    assert_eq!(of("guests"), MfaPolicy::Off);
    assert_eq!(of("default"), MfaPolicy::Required);
    let read = given().file(&config.to_toml()).good();
    assert_eq!(read.mfa, config.mfa);

    let variables = [(
        "COUNTERSIGN__MFA__GROUP_POLICIES",
        "staff=optional,guests=off",
    )];
    let config = given().variables(&variables).good();
    let settings = config.settings();
    let staff = GroupId::parse("staff").expect("a group");
    assert_eq!(settings.mfa_policy_of(&staff), MfaPolicy::Optional);
    assert_eq!(settings.mfa_policy_of_groups.len(), 2);
}

#[test]
fn what_is_no_policy_is_told_with_what_there_is() {
    let problem = given().file("[mfa]\npolicy = 'always'").problem();
    let policies = "must be off, optional, required or required_for_unknown_devices";
    assert!(problem.contains(policies), "{problem}");
    for list in ["staff", "staff=always", "=off", "Staff=off", "staff="] {
        let file = format!("[mfa]\ngroup_policies = ['{list}']");
        let problem = given().file(&file).problem();
        for part in ["mfa.group_policies", "each must be a group and its policy"] {
            assert!(problem.contains(part), "{list}: {problem}");
        }
    }
    let twice = "[mfa]\ngroup_policies = ['staff=off', 'staff=required']";
    let problem = given().file(twice).problem();
    assert!(
        problem.contains("must name the group staff once"),
        "{problem}"
    );
}
