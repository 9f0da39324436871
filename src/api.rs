//! `entente api`: what the coordinator can be asked for.

use serde_json::Value;

use crate::{cli::Format, exit::Failure, output};

/// Prints the API, as this version has it; nobody is asked.
pub(crate) fn print(format: Format) -> Result<(), Failure> {
    let document = entente_coordinator::api_document();
    if format == Format::Json {
        return output::json(&document);
    }
    let mut rows = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let text = |field: &str| operation[field].as_str().unwrap_or_default().to_owned();
            rows.push([
                method.to_uppercase(),
                path.clone(),
                callers(&operation["x-callers"]),
                text("summary"),
            ]);
        }
    }
    println!("{}", output::table(["", "path", "for", "what"], rows));
    Ok(())
}

fn callers(kinds: &Value) -> String {
    let kinds = kinds.as_array().into_iter().flatten();
    let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
    kinds.join(", ")
}
