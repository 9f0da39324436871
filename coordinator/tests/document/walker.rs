//! Calls operations, and holds every answer against the document.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use serde_json::{Value, json};

use super::house::{Caller, House, spec};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const KINDS: [(&str, &str); 5] = [
    ("user", "user/alice"),
    ("operator", "operator/olga"),
    ("reader", "reader/rita"),
    ("party", "party/bank-a"),
    ("coordinator", "coordinator/main"),
];

/// Something to be called.
pub(crate) struct Call {
    method: String,
    path: String,
    by: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<(&'static str, String)>,
}

impl Call {
    /// `by`: a kind of certificate.
    pub(crate) fn of(method: &str, path: &str, by: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            by: by.into(),
            query: None,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn query(mut self, query: &str) -> Self {
        self.query = Some(query.into());
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn brings(mut self, body: Option<(&'static str, String)>) -> Self {
        self.body = body;
        self
    }
}

/// An operation of the document.
pub(crate) struct Operation {
    pub(crate) path: String,
    method: String,
    value: Value,
}

impl Operation {
    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    fn name(&self) -> &str {
        self.value["operationId"].as_str().unwrap()
    }

    fn callers(&self) -> Vec<&str> {
        let kinds = self.value["x-callers"].as_array().unwrap();
        kinds.iter().map(|kind| kind.as_str().unwrap()).collect()
    }

    pub(crate) fn first_caller(&self) -> &str {
        self.callers()[0]
    }

    pub(crate) fn query(&self) -> Vec<&str> {
        let parameters = self.value["parameters"].as_array().unwrap();
        let query = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query");
        query
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect()
    }

    pub(crate) fn takes_a_body(&self) -> bool {
        self.value.get("requestBody").is_some()
    }

    /// One that would be taken.
    pub(crate) fn good_body(&self) -> Option<(&'static str, String)> {
        let submits = self.name() == "submitJob";
        submits.then(|| ("application/json", serde_json::to_string(&spec()).unwrap()))
    }

    /// The problems that it may answer, by status.
    fn problems(&self) -> Vec<(String, String)> {
        let responses = self.value["responses"].as_object().unwrap();
        let of = |(status, response): (&String, &Value)| {
            let schema = &response["content"]["application/problem+json"]["schema"];
            let kinds = schema.pointer("/allOf/1/properties/type/enum");
            let kinds = kinds.and_then(Value::as_array).cloned().unwrap_or_default();
            let status = status.clone();
            kinds
                .into_iter()
                .map(move |kind| (status.clone(), kind.as_str().unwrap().to_owned()))
        };
        responses.iter().flat_map(of).collect()
    }
}

/// Calls operations, and holds every answer against the document.
pub(crate) struct Walker<'a> {
    pub(crate) house: &'a House,
    pub(crate) at: SocketAddr,
    pub(crate) document: Value,
    callers: BTreeMap<&'static str, Caller>,
    reached: RefCell<BTreeSet<(String, String)>>,
    answered: RefCell<BTreeSet<(String, String)>>,
}

impl<'a> Walker<'a> {
    pub(crate) async fn new(house: &'a House, at: SocketAddr) -> Self {
        let callers = KINDS.map(|(kind, identity)| (kind, house.caller(identity, at)));
        let callers = BTreeMap::from(callers);
        let (status, document) = callers["coordinator"].get("/v1/openapi.json").await;
        assert_eq!(status, 200);
        Self {
            house,
            at,
            document: serde_json::from_str(&document).unwrap(),
            callers,
            reached: RefCell::default(),
            answered: RefCell::default(),
        }
    }

    pub(crate) fn caller(&self, kind: &str) -> &Caller {
        &self.callers[kind]
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let paths = self.document["paths"].as_object().unwrap();
        let of = |(path, methods): (&String, &Value)| {
            let methods = methods.as_object().unwrap().clone();
            let path = path.clone();
            methods.into_iter().map(move |(method, value)| Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                value,
            })
        };
        paths.iter().flat_map(of).collect()
    }

    pub(crate) fn operation(&self, name: &str) -> Operation {
        let mut operations = self.operations().into_iter();
        operations
            .find(|operation| operation.name() == name)
            .unwrap()
    }

    /// A value is as a schema of the document says.
    pub(crate) fn holds(&self, schema: &Value, value: &Value) {
        let mut whole = json!({ "components": self.document["components"] });
        whole["allOf"] = json!([schema]);
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{schema}: {errors:#?}\n{value:#}");
    }

    async fn call(&self, call: Call) -> (u16, String, String, Option<String>) {
        let query = call
            .query
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let path = format!("{}{query}", call.path);
        let mut request = self.caller(&call.by).request(&call.method, &path);
        for (name, value) in &call.headers {
            request = request.insert_header((name.as_str(), value.as_str()));
        }
        let sent = match call.body {
            Some((media, body)) => request.content_type(media).send_body(body),
            None => request.send(),
        };
        let mut response = sent.await.unwrap();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let media = header("content-type").unwrap_or_default();
        let media = media.split(';').next().unwrap().to_owned();
        let allow = header("allow");
        let status = response.status().as_u16();
        let body = response.body().limit(16 << 20).await.unwrap();
        (
            status,
            media,
            String::from_utf8(body.to_vec()).unwrap(),
            allow,
        )
    }

    /// The operation answers so, with what the document says.
    pub(crate) async fn answered(&self, name: &str, call: Call, expected: u16) -> Value {
        let operation = self.operation(name);
        let (status, media, body, _) = self.call(call).await;
        assert_eq!(status, expected, "{name}: {body}");
        let content = &operation.value["responses"][status.to_string()]["content"];
        let schema = &content[&media]["schema"];
        assert!(
            !schema.is_null(),
            "{name}: {status} {media} is not documented"
        );
        self.answered
            .borrow_mut()
            .insert((name.to_owned(), status.to_string()));
        let (schema, value) = match (media.as_str(), schema.get("contentSchema")) {
            ("application/json", _) => (schema, serde_json::from_str(&body).unwrap()),
            // The last event of a stream.
            (_, Some(schema)) => {
                let data = body
                    .lines()
                    .filter_map(|line| line.strip_prefix("data: "))
                    .next_back();
                (schema, serde_json::from_str(data.unwrap()).unwrap())
            }
            (_, None) => (schema, Value::String(body)),
        };
        self.holds(schema, &value);
        value
    }

    /// The operation refuses so, as documented, and says what to do.
    pub(crate) async fn refused(&self, operation: &Operation, call: Call, problem: &str) {
        let name = operation.name();
        let (status, media, body, _) = self.call(call).await;
        let urn = format!("urn:entente:problem:{problem}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (&body["type"], media.as_str()),
            (&json!(urn), "application/problem+json"),
            "{name}: {body:#}"
        );
        let documented = operation
            .problems()
            .contains(&(status.to_string(), urn.clone()));
        assert!(documented, "{name}: {status} {urn} is not documented");
        let response = &operation.value["responses"][status.to_string()];
        self.holds(&response["content"][&media]["schema"], &body);
        let detail = body["detail"].as_str().unwrap();
        assert!(
            detail.len() > 20 && body["status"] == status,
            "{name}: {body:#}"
        );
        self.reached.borrow_mut().insert((name.to_owned(), urn));
    }

    /// What the path has not is refused, and what it has is named.
    pub(crate) async fn other_methods(&self, operation: &Operation, path: &str) {
        let methods = self.document["paths"][&operation.path].as_object().unwrap();
        let documented: BTreeSet<String> = methods.keys().map(|key| key.to_uppercase()).collect();
        for method in METHODS
            .iter()
            .filter(|method| !documented.contains(**method))
        {
            let call = Call::of(method, path, "user");
            let (status, media, body, allow) = self.call(call).await;
            assert_eq!(
                (status, media.as_str()),
                (405, "application/problem+json"),
                "{body}"
            );
            let allow = allow.unwrap();
            let allowed: BTreeSet<String> = allow.split(", ").map(str::to_owned).collect();
            assert_eq!(allowed, documented, "{method} {path}");
        }
    }

    /// Those for whom it is not are told so.
    pub(crate) async fn other_callers(&self, operation: &Operation, path: &str) {
        let callers = operation.callers();
        for (kind, _) in KINDS.iter().filter(|(kind, _)| !callers.contains(kind)) {
            let call = Call::of(operation.method(), path, kind);
            self.refused(operation, call, "forbidden").await;
        }
    }

    /// Documented problems that no call has met.
    pub(crate) fn unreached(&self) -> Vec<(String, String)> {
        let reached = self.reached.borrow();
        let mut all: Vec<(String, String)> = Vec::new();
        for operation in self.operations() {
            let name = operation.name().to_owned();
            all.extend(
                operation
                    .problems()
                    .into_iter()
                    .map(|(_, kind)| (name.clone(), kind)),
            );
        }
        all.retain(|pair| !reached.contains(pair));
        all
    }

    /// Documented answers that no call has got.
    pub(crate) fn unanswered(&self) -> Vec<(String, String)> {
        let answered = self.answered.borrow();
        let mut all: Vec<(String, String)> = Vec::new();
        for operation in self.operations() {
            let responses = operation.value["responses"].as_object().unwrap();
            let good = responses.keys().filter(|status| status.starts_with('2'));
            all.extend(good.map(|status| (operation.name().to_owned(), status.clone())));
        }
        all.retain(|pair| !answered.contains(pair));
        all
    }
}
