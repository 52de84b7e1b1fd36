//! The JSON Schema of `foretaste.yaml`, from the structs that read it and the settings of the checks.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::policy::Known;
use crate::policy::file::File;

/// The schema of the settings of a check.
pub(crate) type SettingsSchema = fn(&mut SchemaGenerator) -> Schema;

/// The whole schema. `settings` has, for the first rule of each check, the schema of what may stand in its block.
pub(crate) fn schema(known: &[Known], settings: &[(&str, SettingsSchema)]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = File::json_schema(&mut generator).to_value();
    let own: Vec<(&str, Value)> =
        settings.iter().map(|(rule, make)| (*rule, make(&mut generator).to_value())).collect();
    let mut defs = generator.take_definitions(true);

    let mut rules = Map::new();
    for known in known {
        let id = known.rule.id;
        let own = own.iter().find(|(rule, _)| *rule == id).map(|(_, schema)| resolved(schema, &defs));
        rules.insert(id.to_owned(), block(known.rule.summary, own));
    }
    let ids: Vec<&str> = known.iter().map(|k| k.rule.id).collect();
    root["properties"]["rules"] = json!({
        "description": root["properties"]["rules"]["description"],
        "type": "object",
        "properties": rules,
        "additionalProperties": false,
    });
    if let Some(exception) = defs.get_mut("ExceptionWords") {
        exception["properties"]["rule"] = json!({"description": "Id of the rule.", "enum": ids});
    }
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = "foretaste.yaml".into();
    root["$defs"] = Value::Object(defs);
    root
}

/// The block of one rule: a severity, or a block with one and the settings of its check.
fn block(summary: &str, own: Option<Value>) -> Value {
    let severity = json!({
        "description": "Severity of its findings; \"off\" turns it off.",
        "enum": ["error", "warning", "note", "off"],
    });
    let mut block = own.unwrap_or_else(|| json!({"type": "object"}));
    block["properties"]["severity"] = severity.clone();
    block["additionalProperties"] = false.into();
    block["type"] = "object".into();
    json!({"description": summary, "anyOf": [severity, block, {"type": "null"}]})
}

/// Schemas of structs are references into the definitions; to add a key, the struct itself is needed.
fn resolved(schema: &Value, defs: &Map<String, Value>) -> Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"));
    name.and_then(|name| defs.get(name)).unwrap_or(schema).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{EXAMPLE, known, parse};

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Settings {
        /// How many commits are looked at.
        #[serde(default)]
        window: u32,
    }

    fn ours() -> Value {
        schema(&known(), &[("label-flip", |generator| generator.subschema_for::<Settings>())])
    }

    /// What an editor makes of the text before it looks at the schema.
    fn json(text: &str) -> Value {
        serde_yaml::from_str(text).unwrap()
    }

    fn valid(text: &str) -> bool {
        jsonschema::validator_for(&ours()).unwrap().is_valid(&json(text))
    }

    #[test]
    fn the_documented_example_is_read_and_is_valid() {
        assert!(parse(EXAMPLE).is_ok());
        let schema = ours();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&json(EXAMPLE)).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert_eq!(errors, [] as [&str; 0]);
    }

    #[test]
    fn what_the_parser_refuses_by_shape_the_schema_refuses_too() {
        for text in [
            "version: 2\n",
            "sources: {}\n",
            "version: 1\nsorces: {}\n",
            "version: 1\ndatasets: {a: {files: x, lable: y}}\n",
            "version: 1\ndatasets: {a: {text: x}}\n",
            "version: 1\ndatasets: {a: {files: x, role: trian}}\n",
            "version: 1\nsources: {a: {match: {huh: x}}}\n",
            "version: 1\nrules: {lable-flip: error}\n",
            "version: 1\nrules: {label-flip: eror}\n",
            "version: 1\nrules: {maintainer-risk: {window: 3}}\n",
            "version: 1\nrequire: {signatures: two}\n",
            "version: 1\nexceptions: [{rule: label-flip, count: 3}]\n",
            "version: 1\nexceptions: [{rule: nothing, count: 3, reason: r, owner: o, until: 2027-01-01}]\n",
            "version: 1\nlimits: {blobs: 1}\n",
            "version: 1\nvendors: {v: {contakt: x}}\n",
        ] {
            assert!(parse(text).is_err() && !valid(text), "{text}");
        }
        // Settings are read when the check is made ready, so the parser alone does not know them.
        assert!(!valid("version: 1\nrules: {label-flip: {windw: 3}}\n"));
    }

    #[test]
    fn what_the_parser_reads_the_schema_allows() {
        for text in [
            "version: 1\nrules: {label-flip: {severity: note, window: 3}, maintainer-risk: {severity: \"off\"}, invisible-unicode: \"off\"}\n",
            "version: 1\ndatasets: {a: {files: x, text: t, \"null\": [\"\"], role: rag}}\n",
            "version: 1\nrequire: {policy_change: {signatures: 2, roles: owner}, coverage: full}\n",
            "version: 1\nkeys: {k: {ssh: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti\", principal: p, revoked: {at: 2026-01-01, reason: lost, earlier: trusted}}}\n",
            "version: 1\nlimits: {blob: 1048576, record: 2 MiB}\n",
            "version: 1\nexceptions: [{rule: label-flip, code_points: [2060, 200C], reason: r, owner: o, until: 2027-01-01}]\n",
        ] {
            assert!(parse(text).is_ok() && valid(text), "{text}");
        }
    }

    #[test]
    fn every_key_is_explained() {
        fn walk(value: &Value, path: &str, bare: &mut Vec<String>) {
            if let Some(properties) = value.get("properties").and_then(Value::as_object) {
                for (name, property) in properties {
                    if property.get("description").is_none() {
                        bare.push(format!("{path}/{name}"));
                    }
                }
            }
            if let Some(object) = value.as_object() {
                object.iter().for_each(|(name, inner)| walk(inner, &format!("{path}/{name}"), bare));
            }
        }
        let mut bare = Vec::new();
        walk(&ours(), "", &mut bare);
        assert_eq!(bare, [] as [&str; 0]);
    }
}
