//! Reads the policies of all RPCs, and writes them as Rust and as a table.

use std::error::Error;
use std::fmt::Write as _;

use protox::prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

const EXTENSION: &str = "countersign.v1.policy";
const ROLE: &str = "countersign.v1.CallerRole";

/// An RPC, as the contract describes it.
pub(crate) struct Rpc {
    service: String,
    name: String,
    /// Without `CALLER_ROLE_`.
    roles: Vec<String>,
    seconds: i64,
    /// `IDEMPOTENCY_UNKNOWN`, `NO_SIDE_EFFECTS` or `IDEMPOTENT`.
    idempotency: String,
}

/// All RPCs, in the order of the contract.
///
/// # Errors
/// If one has no policy, no role or no timeout.
pub(crate) fn read(pool: &DescriptorPool) -> Result<Vec<Rpc>, Box<dyn Error>> {
    let services = pool.services();
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| rpc(pool, &method)).collect()
}

fn rpc(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Rpc, Box<dyn Error>> {
    let lacking = |what: &str| format!("{} has no {what}", method.full_name());
    let extension = pool
        .get_extension_by_name(EXTENSION)
        .ok_or("there is no policy.proto")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return Err(lacking("policy").into());
    }
    let policy = options.get_extension(&extension);
    let policy = policy.as_message().ok_or("a policy is a message")?;
    let roles = roles(pool, policy);
    if roles.is_empty() {
        return Err(lacking("role").into());
    }
    let seconds = seconds(policy);
    if seconds <= 0 {
        return Err(lacking("timeout").into());
    }
    let idempotency = options.get_field_by_name("idempotency_level");
    let level = idempotency.and_then(|level| level.as_enum_number());
    Ok(Rpc {
        service: method.parent_service().full_name().to_owned(),
        name: method.name().to_owned(),
        roles,
        seconds,
        idempotency: match level {
            Some(1) => "NoSideEffects",
            Some(2) => "Idempotent",
            _ => "Unknown",
        }
        .to_owned(),
    })
}

fn roles(pool: &DescriptorPool, policy: &DynamicMessage) -> Vec<String> {
    let role = pool.get_enum_by_name(ROLE);
    let named = |value: &Value| {
        let value = role.as_ref()?.get_value(value.as_enum_number()?)?;
        Some(value.name().trim_start_matches("CALLER_ROLE_").to_owned())
    };
    let roles = policy.get_field_by_name("roles");
    let roles = roles.as_deref().and_then(Value::as_list);
    roles.unwrap_or_default().iter().filter_map(named).collect()
}

fn seconds(policy: &DynamicMessage) -> i64 {
    let timeout = policy.get_field_by_name("timeout");
    let timeout = timeout.as_deref().and_then(Value::as_message);
    let seconds = timeout.and_then(|timeout| {
        let seconds = timeout.get_field_by_name("seconds")?;
        seconds.as_i64()
    });
    seconds.unwrap_or_default()
}

/// The RPCs as Rust.
pub(crate) fn code(rpcs: &[Rpc]) -> String {
    let mut code = String::from("// Generated from proto/ by `cargo regenerate`.\n&[\n");
    for rpc in rpcs {
        let roles: Vec<_> = rpc.roles.iter().map(|role| role_in_rust(role)).collect();
        let Rpc { service, name, .. } = rpc;
        write!(
            code,
            "    Rpc {{\n        service: \"{service}\",\n        name: \"{name}\",\n        \
             path: \"/{service}/{name}\",\n        roles: &[{}],\n        \
             timeout: Duration::from_secs({}),\n        idempotency: Idempotency::{},\n    }},\n",
            roles.join(", "),
            rpc.seconds,
            rpc.idempotency,
        )
        .expect("a string takes everything");
    }
    code.push_str("]\n");
    code
}

fn role_in_rust(role: &str) -> String {
    let (first, rest) = role.split_at(1);
    format!("CallerRole::{first}{}", rest.to_lowercase())
}

/// The RPCs as a table in Markdown.
pub(crate) fn table(rpcs: &[Rpc]) -> String {
    let mut table = String::from(
        "# Who may call what\n\n\
         Generated from [`proto/`](../proto) by `cargo regenerate`. \
         A caller needs one of the roles. The time is counted from the headers of a call to its \
         answer; `server.request_timeout` and the caller's own `grpc-timeout` shorten it. Health \
         (`grpc.health.v1`) and reflection need no key.\n",
    );
    let mut service = "";
    for rpc in rpcs {
        if rpc.service != service {
            service = &rpc.service;
            write!(
                table,
                "\n## {service}\n\n| RPC | roles | at most | may be repeated |\n|---|---|---|---|\n"
            )
            .expect("a string takes everything");
        }
        let repeated = match rpc.idempotency.as_str() {
            "NoSideEffects" => "yes: it changes nothing",
            "Idempotent" => "yes",
            _ => "no",
        };
        let roles = rpc.roles.join(", ").to_lowercase();
        let (name, seconds) = (&rpc.name, rpc.seconds);
        writeln!(table, "| {name} | {roles} | {seconds} s | {repeated} |")
            .expect("a string takes everything");
    }
    table
}
