//! Messages as JSON (ProtoJSON, with the names of the contract), and what the gateway fills in itself.

use bytes::Bytes;
use countersign_client::proto::ClientContext;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _,
    SerializeOptions, Value,
};
use serde_json::{Map, Value as Json};

use super::members::EachOnce;
use super::table::Endpoint;
use crate::problem::Problem;

/// How deep the name of a field in a query may lead.
const MOST_DOTS: usize = 4;

/// What the gateway knows better than the client, or what stands elsewhere in the request.
pub(super) struct Filled<'a> {
    pub(super) path: Vec<(&'a str, String)>,
    pub(super) access_token: Option<String>,
    pub(super) group_id: String,
    pub(super) context: ClientContext,
    pub(super) request_id: Option<String>,
}

/// Reads a message: from the query of GET and DELETE, and otherwise from the body.
pub(super) fn read(
    endpoint: &Endpoint,
    body: &Bytes,
    query: &str,
) -> Result<DynamicMessage, Problem> {
    let kind = endpoint.rpc.input();
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let result = if endpoint.has_body() {
        // What is secret must not stand in a URL, which proxies log.
        if !query.is_empty() {
            return Err(Problem::malformed(
                "what is sent stands in the body, and nothing in the query",
            ));
        }
        let body = if body.is_empty() { b"{}" } else { &**body };

        let unreadable = |error: serde_json::Error| Problem::malformed(error.to_string());
        serde_json::from_slice::<EachOnce>(body).map_err(unreadable)?;
        let mut json = serde_json::Deserializer::from_slice(body);
        let message = DynamicMessage::deserialize_with_options(kind, &mut json, &options);
        message.and_then(|message| json.end().map(|()| message))
    } else {
        if !body.is_empty() {
            return Err(Problem::malformed(
                "what is sent stands in the query, and nothing in the body",
            ));
        }
        let fields = Json::Object(query_fields(&kind, query)?);
        DynamicMessage::deserialize_with_options(kind, fields, &options)
    };
    let message = result.map_err(|error| Problem::malformed(error.to_string()))?;
    for field in endpoint.withheld() {
        if message.has_field_by_name(field) {
            return Err(Problem::field(field, "is not for clients to set"));
        }
    }
    Ok(message)
}

/// Puts in what stands in the path and the headers. What the gateway knows better takes the place of what was sent.
pub(super) fn fill(message: &mut DynamicMessage, filled: Filled<'_>) -> Result<(), Problem> {
    for (name, value) in filled.path {
        message.set_field_by_name(name, Value::String(value));
    }
    if let Some(token) = filled.access_token {
        if message.descriptor().get_field_by_name("person").is_some() {
            let person = person(message, token);
            message.set_field_by_name("person", person);
        } else {
            message.set_field_by_name("access_token", Value::String(token));
        }
    }
    let fields = message.descriptor();
    let has = |name: &str| fields.get_field_by_name(name).is_some();
    if has("group_id")
        && message
            .get_field_by_name("group_id")
            .is_some_and(|id| is_empty(&id))
    {
        message.set_field_by_name("group_id", Value::String(filled.group_id));
    }
    if let Some(field) = fields.get_field_by_name("client_context")
        && let Kind::Message(kind) = field.kind()
    {
        let mut context = DynamicMessage::new(kind);
        let told = context.transcode_from(&filled.context);
        told.map_err(|_| Problem::incomplete("client_context"))?;
        message.set_field(&field, Value::Message(context));
    }
    if let Some(id) = filled.request_id.filter(|_| has("request_id")) {
        message.set_field_by_name("request_id", Value::String(id));
    }
    Ok(())
}

/// A message as JSON; what is empty is said, too, so that clients need not know which fields there are.
pub(super) fn write(message: &DynamicMessage) -> Result<Json, Problem> {
    let options = SerializeOptions::new()
        .skip_default_fields(false)
        .use_proto_field_name(true);
    let json = message.serialize_with_options(serde_json::value::Serializer, &options);
    json.map_err(|_| Problem::incomplete("message"))
}

fn person(message: &DynamicMessage, token: String) -> Value {
    let field = message.descriptor().get_field_by_name("person");
    let kind = field.map(|field| field.kind());
    let Some(Kind::Message(kind)) = kind else {
        unreachable!("`person` is a message in the whole contract");
    };
    let mut person = DynamicMessage::new(kind);
    person.set_field_by_name("access_token", Value::String(token));
    Value::Message(person)
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_none_or(str::is_empty)
}

/// The fields of a query, `page_size=20&filter.state=ACTIVE`: dots lead into messages, and a name that stands several
/// times is a list.
fn query_fields(kind: &MessageDescriptor, query: &str) -> Result<Map<String, Json>, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|error| Problem::malformed(format!("the query: {error}")))?;
    let mut fields = Map::new();
    for (name, value) in pairs {
        if name.matches('.').count() > MOST_DOTS {
            return Err(Problem::malformed(format!(
                "at most {MOST_DOTS} dots lead into a field"
            )));
        }
        put(&mut fields, kind, &name, value)?;
    }
    Ok(fields)
}

fn put(
    fields: &mut Map<String, Json>,
    kind: &MessageDescriptor,
    name: &str,
    value: String,
) -> Result<(), Problem> {
    let (first, rest) = name.split_once('.').unzip();
    let own = first.unwrap_or(name);
    let field = kind.get_field_by_name(own);
    let field = field.ok_or_else(|| Problem::field(name, "is not a field of this request"))?;
    if let Some(rest) = rest {
        let Kind::Message(inner) = field.kind() else {
            return Err(Problem::field(own, "has no fields of its own"));
        };
        let entry = fields
            .entry(own)
            .or_insert_with(|| Json::Object(Map::new()));
        let entry = entry.as_object_mut();
        let entry = entry.ok_or_else(|| Problem::field(own, "must be given once"))?;
        return put(entry, &inner, rest, value);
    }
    let value = match field.kind() {
        Kind::Bool => match value.as_str() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => return Err(Problem::field(own, "must be true or false")),
        },
        _ => Json::String(value),
    };
    if field.is_list() {
        let entry = fields.entry(own).or_insert_with(|| Json::Array(Vec::new()));
        if let Json::Array(items) = entry {
            items.push(value);
        }
    } else if fields.insert(own.to_owned(), value).is_some() {
        return Err(Problem::field(own, "must be given once"));
    }
    Ok(())
}
