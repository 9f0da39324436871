//! From the compact source to what Grafana loads.
//!
//! ```text
//!   dashboards/source/NAME.toml ──▶ dashboards/grafana/NAME.json
//! ```
//!
//! Positions, identities and the settings that are the same everywhere are made
//! here, so that they cannot be forgotten in one panel of eighty, and a change
//! of a query is a change of one line.

use serde_json::{Map, Value, json};

use crate::source::{Dashboard, Kind, Panel, Query, Variable, variables};

/// Of the datasource that `provisioning/datasources` makes.
pub(crate) const DATASOURCE: &str = "entente-prometheus";

/// All values of a label, and not that it is missing.
pub(crate) const ALL: &str = ".+";

/// What a dashboard is known by in Grafana.
pub(crate) fn identity(name: &str) -> String {
    format!("entente-{name}")
}

/// What Grafana loads.
pub(crate) fn dashboard(name: &str, source: &Dashboard) -> Value {
    let mut panels = Vec::new();
    let mut y = 0;
    for row in &source.rows {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": row.title,
            "collapsed": false,
            "gridPos": { "h": 1, "w": 24, "x": 0, "y": y },
            "panels": [],
        }));
        y += 1;
        let mut x = 0;
        for source in &row.panels {
            if x + source.width > 24 {
                (x, y) = (0, y + row.height);
            }
            let place = json!({ "h": row.height, "w": source.width, "x": x, "y": y });
            panels.push(panel(panels.len() + 1, place, source));
            x += source.width;
        }
        y += row.height;
    }
    let known = variables();
    let asked = known
        .iter()
        .filter(|one| source.variables.contains(&one.name));
    let list: Vec<Value> = [which_prometheus()]
        .into_iter()
        .chain(asked.map(variable))
        .collect();
    json!({
        "uid": identity(name),
        "title": source.title,
        "description": source.description,
        "tags": ["entente"],
        "timezone": "browser",
        "editable": true,
        // A crosshair at the same moment in all panels.
        "graphTooltip": 1,
        "time": { "from": "now-1h", "to": "now" },
        "refresh": "10s",
        "schemaVersion": 39,
        "version": 1,
        "panels": panels,
        "templating": { "list": list },
        "annotations": { "list": [] },
        "links": [{
            "title": "entente",
            "type": "dashboards",
            "icon": "external link",
            "tooltip": "The other dashboards, at the same time",
            "url": "",
            "tags": ["entente"],
            "asDropdown": false,
            "targetBlank": false,
            "includeVars": true,
            "keepTime": true,
        }],
    })
}

fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

fn panel(id: usize, place: Value, source: &Panel) -> Value {
    let targets = source.queries.iter().zip('A'..);
    let targets: Vec<Value> = targets
        .map(|(query, name)| target(source.kind, query, name))
        .collect();
    let mut panel = json!({
        "id": id,
        "type": source.kind.name(),
        "title": source.title,
        "description": source.description,
        "datasource": datasource(),
        "gridPos": place,
        "fieldConfig": { "defaults": defaults(source), "overrides": overrides(source) },
        "options": options(source),
        "targets": targets,
    });
    if source.kind == Kind::Table {
        panel["transformations"] = transformations(source);
    }
    panel
}

fn target(kind: Kind, query: &Query, name: char) -> Value {
    // A number of now is not asked for over hours.
    let instant = matches!(kind, Kind::Table | Kind::Bargauge | Kind::Stat);
    json!({
        "refId": name.to_string(),
        "datasource": datasource(),
        "expr": query.expr,
        "legendFormat": query.legend,
        "editorMode": "code",
        "range": !instant,
        "instant": instant,
        "format": if kind == Kind::Table { "table" } else { "time_series" },
    })
}

fn defaults(source: &Panel) -> Value {
    let steps = source.thresholds.iter();
    let mut steps: Vec<Value> = steps
        .map(|step| json!({ "color": step.colour(), "value": step.from() }))
        .collect();
    if steps.is_empty() {
        steps.push(json!({ "color": "green", "value": null }));
    }
    let by = match source.kind {
        Kind::Timeseries => "palette-classic",
        Kind::Stat | Kind::Table | Kind::Bargauge => "thresholds",
    };
    let mut defaults = Map::new();
    defaults.insert("unit".to_owned(), json!(source.unit));
    defaults.insert("color".to_owned(), json!({ "mode": by }));
    defaults.insert("mappings".to_owned(), json!([]));
    let thresholds = json!({ "mode": "absolute", "steps": steps });
    defaults.insert("thresholds".to_owned(), thresholds);
    for (key, value) in [("min", source.min), ("max", source.max)] {
        if let Some(value) = value {
            defaults.insert(key.to_owned(), json!(value));
        }
    }
    if let Some(decimals) = source.decimals {
        defaults.insert("decimals".to_owned(), json!(decimals));
    }
    if source.kind == Kind::Timeseries {
        let mode = if source.stack { "normal" } else { "none" };
        let custom = json!({
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": if source.stack { 30 } else { 0 },
            "showPoints": "auto",
            // A gap is a process that was not there, and is to be seen.
            "spanNulls": false,
            "stacking": { "mode": mode, "group": "A" },
        });
        defaults.insert("custom".to_owned(), custom);
    }
    defaults.into()
}

/// How Grafana calls the column of a query's values.
fn value_column(source: &Panel, number: usize) -> String {
    match source.queries.len() {
        1 => "Value".to_owned(),
        _ => format!("Value #{}", char::from(b'A' + number as u8)),
    }
}

/// Column and heading of each query that has values to show.
fn headings(source: &Panel) -> impl Iterator<Item = (String, &Query)> {
    let queries = source.queries.iter().enumerate();
    queries
        .filter(|(_, query)| !query.legend.is_empty())
        .map(|(number, query)| (value_column(source, number), query))
}

fn overrides(source: &Panel) -> Value {
    if source.kind != Kind::Table {
        return json!([]);
    }
    let property = |column: &str, id: &str, value: Value| {
        json!({
            "matcher": { "id": "byName", "options": column },
            "properties": [{ "id": id, "value": value }],
        })
    };
    let units = headings(source).filter_map(|(_, query)| {
        let unit = query.unit.as_deref()?;
        Some(property(&query.legend, "unit", json!(unit)))
    });
    let link = source.open_job.then(|| {
        let url = "/d/entente-job?var-job_id=${__value.raw}&${__url_time_range}";
        let link = json!([{ "title": "Open this job", "url": url }]);
        property("job_id", "links", link)
    });
    units.chain(link).collect()
}

/// Queries side by side, and of what they bring only what is meant.
fn transformations(source: &Panel) -> Value {
    let names = headings(source).map(|(column, _)| column);
    let names: Vec<String> = source.columns.iter().cloned().chain(names).collect();
    let renamed = headings(source).map(|(column, query)| (column, json!(query.legend)));
    let renamed: Map<String, Value> = renamed.collect();
    let order = names.iter().enumerate();
    let order: Map<String, Value> = order
        .map(|(place, name)| (name.clone(), json!(place)))
        .collect();
    let mut steps = Vec::new();
    if source.queries.len() > 1 {
        let by = source.columns.first();
        let options = json!({ "byField": by, "mode": "outer" });
        steps.push(json!({ "id": "joinByField", "options": options }));
    }
    let include = json!({ "include": { "names": names } });
    steps.push(json!({ "id": "filterFieldsByName", "options": include }));
    let organized = json!({ "renameByName": renamed, "indexByName": order, "excludeByName": {} });
    steps.push(json!({ "id": "organize", "options": organized }));
    steps.into()
}

fn options(source: &Panel) -> Value {
    let last = json!({ "calcs": ["lastNotNull"], "fields": "", "values": false });
    match source.kind {
        Kind::Stat => json!({
            "reduceOptions": last,
            "graphMode": "none",
            "colorMode": "value",
            "justifyMode": "auto",
            "textMode": if source.queries.len() > 1 { "value_and_name" } else { "value" },
            "orientation": "auto",
        }),
        Kind::Bargauge => json!({
            "reduceOptions": last,
            "displayMode": "basic",
            "valueMode": "color",
            "showUnfilled": true,
            "minVizWidth": 8,
            "minVizHeight": 16,
            "orientation": "horizontal",
        }),
        Kind::Timeseries => json!({
            "legend": { "displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Table => json!({ "frameIndex": 0, "showHeader": true, "cellHeight": "sm" }),
    }
}

/// The one that is provisioned, or another that somebody has.
fn which_prometheus() -> Value {
    json!({
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "description": "The Prometheus that scrapes entente.",
        "query": "prometheus",
        "hide": 0,
        "refresh": 1,
        "skipUrlSync": false,
        "multi": false,
        "includeAll": false,
        "current": { "text": "entente", "value": DATASOURCE },
        "options": [],
        "regex": "",
    })
}

fn variable(source: &Variable) -> Value {
    let query = format!("label_values({}, {})", source.matches, source.values_of);
    let mut variable = json!({
        "type": "query",
        "name": source.name,
        "label": source.label,
        "description": source.description,
        "datasource": datasource(),
        "definition": query,
        "query": { "query": query, "refId": source.name },
        "hide": if source.hidden { 2 } else { 0 },
        // When the time range changes: a job of yesterday is found yesterday.
        "refresh": 2,
        "sort": 1,
        "skipUrlSync": false,
        "multi": source.all,
        "includeAll": source.all,
        "current": {},
        "options": [],
        "regex": "",
    });
    if source.all {
        // What has no such label is not meant: a coordinator is no party.
        variable["allValue"] = json!(ALL);
        variable["current"] = json!({ "text": "All", "value": "$__all" });
    }
    variable
}
