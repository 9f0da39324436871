//! Schemas as people and their tools read them.

use serde_json::Value;

/// Descriptions come from the documentation of the code, which links: what is linked
/// there is a word here.
pub(super) fn make_readable(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if name == "description" => *text = unlinked(text),
                    field => make_readable(field),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_readable),
        _ => {}
    }
}

/// Without the brackets of links and the line breaks of a source file.
fn unlinked(text: &str) -> String {
    let mut left = text;
    let mut plain = String::new();
    while let Some((before, link)) = left.split_once('[') {
        let Some((word, after)) = link.split_once(']') else {
            break;
        };
        plain += before;
        let target = after
            .strip_prefix('(')
            .and_then(|target| target.split_once(')'));
        match target {
            Some((_, after)) => {
                plain += word;
                left = after;
            }
            None if word.starts_with('`') => {
                plain += word;
                left = after;
            }
            None => {
                plain.push('[');
                left = link;
            }
        }
    }
    plain += left;
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A parameter that is left out is not there, rather than nothing: of "this or
/// nothing" this.
pub(super) fn present(mut schema: Value) -> Value {
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [only] = &mut choices[..] {
            let mut only = only.take();
            if let (Some(fields), Some(what)) = (only.as_object_mut(), schema.get("description")) {
                fields.insert("description".into(), what.clone());
            }
            return only;
        }
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = &mut types[..] {
            schema["type"] = only.take();
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_are_words() {
        assert_eq!(
            unlinked("See [`Class`], or\n[that](crate::that) (1 to 3)."),
            "See `Class`, or that (1 to 3)."
        );
        for plain in ["0 [open", "`[resources]`: [channels, length]"] {
            assert_eq!(unlinked(plain), plain);
        }
    }

    #[test]
    fn what_may_be_left_out_is_not_null() {
        let number = json!({ "type": ["integer", "null"], "minimum": 1 });
        assert_eq!(present(number), json!({ "type": "integer", "minimum": 1 }));
        let state = json!({
            "description": "Where.",
            "anyOf": [{ "$ref": "#/x" }, { "type": "null" }],
        });
        assert_eq!(
            present(state),
            json!({ "$ref": "#/x", "description": "Where." })
        );
    }
}
