//! The OpenAPI 3.1 description of REST, made of the table and the contract.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::table::{Auth, Endpoint};

/// The document.
pub(super) fn document(endpoints: &[Endpoint]) -> Value {
    let mut schemas = Schemas::default();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for endpoint in endpoints {
        let method = endpoint.method.as_str().to_ascii_lowercase();
        let operation = operation(endpoint, &mut schemas);
        paths
            .entry(endpoint.path)
            .or_default()
            .insert(method, operation);
    }
    let mut components = schemas.0;
    components.insert("Problem".into(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The RPCs of countersign.v1 over HTTP. Times are RFC 3339, durations seconds such as \"1.5s\"; what each field means stands in the contract, proto/countersign/v1.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "person": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "The access token of the person."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": crate::cookies::ACCESS, "description": "The cookie of a sign-in on the gateway's pages."},
                "caller": {"type": "http", "scheme": "bearer", "description": "The API key of a caller, csk_…."},
            },
        },
    })
}

fn operation(endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
    let rpc = &endpoint.rpc;
    let service = rpc.parent_service().name().to_owned();
    let input = rpc.input();
    let in_path =
        |field: &FieldDescriptor| endpoint.path.contains(&format!("{{{}}}", field.name()));
    let is_own = |field: &FieldDescriptor| endpoint.withheld().all(|name| name != field.name());
    let mut parameters: Vec<Value> = Vec::new();
    let path_fields = input.fields().filter(in_path);
    parameters.extend(path_fields.map(|field| {
        json!({"name": field.name(), "in": "path", "required": true, "schema": {"type": "string"}})
    }));
    let mut operation = json!({
        "operationId": operation_id(endpoint),
        "summary": format!("{service}.{}", rpc.name()),
        "tags": [service],
        "responses": {
            "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": schemas.reference(&rpc.output())}},
            },
            "default": {
                "description": "A problem (RFC 9457).",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
        "security": match endpoint.auth {
            Auth::Nobody => json!([]),
            Auth::Person => json!([{"person": []}, {"cookie": []}]),
            Auth::Caller => json!([{"caller": []}]),
        },
    });
    let own = input
        .fields()
        .filter(|field| is_own(field) && !in_path(field));
    if !endpoint.has_body() {
        let scalars = own.filter(|field| !matches!(field.kind(), Kind::Message(_)));
        parameters.extend(scalars.map(
            |field| json!({"name": field.name(), "in": "query", "schema": schemas.field(&field)}),
        ));
    } else {
        let properties: Map<String, Value> = own
            .map(|field| (field.name().to_owned(), schemas.field(&field)))
            .collect();
        operation["requestBody"] = json!({
            "content": {"application/json": {"schema": {
                "type": "object",
                "properties": properties,
                "additionalProperties": false,
            }}},
        });
    }
    operation["parameters"] = parameters.into();
    operation
}

/// Such as `post_v1_sign_up_confirm`.
fn operation_id(endpoint: &Endpoint) -> String {
    let method = endpoint.method.as_str().to_ascii_lowercase();
    let path = endpoint.path.replace(['{', '}'], "");
    format!("{method}{}", path.replace(['/', '-'], "_"))
}

/// The messages that are spoken of.
#[derive(Default)]
struct Schemas(Map<String, Value>);

impl Schemas {
    fn reference(&mut self, message: &MessageDescriptor) -> Value {
        match message.full_name() {
            "google.protobuf.Timestamp" => return json!({"type": "string", "format": "date-time"}),
            "google.protobuf.Duration" => {
                return json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"});
            }
            "google.protobuf.FieldMask" => return json!({"type": "string"}),
            "google.protobuf.Struct" => return json!({"type": "object"}),
            "google.protobuf.Value" => return json!({}),
            _ => {}
        }
        let name = message.name();
        if !self.0.contains_key(name) {
            // Before its fields, which may be of the same kind.
            self.0.insert(name.to_owned(), Value::Null);
            let properties: Map<String, Value> = message
                .fields()
                .map(|field| (field.name().to_owned(), self.field(&field)))
                .collect();
            let schema = json!({"type": "object", "properties": properties});
            self.0.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn field(&mut self, field: &FieldDescriptor) -> Value {
        if field.is_map() {
            return json!({"type": "object"});
        }
        let one = match field.kind() {
            Kind::Bool => json!({"type": "boolean"}),
            Kind::Double | Kind::Float => json!({"type": "number"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
                json!({"type": "integer", "format": "int32"})
            }
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
                json!({"type": "string", "format": "int64"})
            }
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "format": "byte"}),
            Kind::Enum(kind) => json!({"type": "string", "enum": names(&kind)}),
            Kind::Message(message) => self.reference(&message),
        };
        if field.is_list() {
            return json!({"type": "array", "items": one});
        }
        one
    }
}

fn names(kind: &EnumDescriptor) -> Vec<String> {
    kind.values().map(|value| value.name().to_owned()).collect()
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["title", "status", "detail", "reason"],
        "properties": {
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "For the person, in Korean or English by Accept-Language."},
            "reason": {"type": "string", "description": "A name of error_reason.proto, for programs."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                },
            },
            "retry_after": {"type": "integer", "description": "In seconds."},
        },
    })
}
