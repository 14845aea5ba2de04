//! A small Iceberg REST catalog for tests. It keeps its tables in memory.

use super::http::{Answer, serve};
use crate::lock::Lock;
use iceberg::spec::{
    MAIN_BRANCH, Operation, Snapshot, Summary, TableMetadata, TableMetadataBuilder,
};
use iceberg::{NamespaceIdent, TableCreation};
use iceberg_catalog_rest::{
    CommitTableRequest, CommitTableResponse, CreateNamespaceRequest, CreateTableRequest,
    LoadTableResult, NamespaceResponse,
};
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A deviation from the normal handling of a commit or of a table's creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Another program commits a snapshot first, so the request is refused with a conflict.
    Conflict,
    /// The catalog carries out the request, and closes the connection without an answer.
    LostAnswer,
    /// The catalog closes the connection without an answer, and carries out the request later, at
    /// the start of a load of the table. The value is the number of loads before this load.
    LateBefore(usize),
    /// Like `LateBefore`, but the catalog carries out the request at the end of the load.
    LateAfter(usize),
    /// The catalog carries out the request, and answers with the status 504.
    Timeout,
    /// The catalog refuses the request with the status 403.
    Refused,
}

/// The state of the catalog: its tables, and the faults that a test has planned.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) namespaces: Vec<String>,
    /// The metadata and the location of the metadata, by the name of the table.
    pub(super) tables: BTreeMap<String, (TableMetadata, String)>,
    /// The faults of the next commits and creations. Each commit or creation takes the first fault.
    pub(super) faults: VecDeque<Fault>,
    /// True if every connection is closed at once.
    pub(super) is_down: bool,
    /// The beginning of the location of every table.
    pub(super) warehouse: String,
    commits: usize,
    /// A commit that arrives late.
    late: Option<(Fault, CommitTableRequest)>,
}

/// A running Iceberg REST catalog, with its URL and its state.
#[derive(Debug, Clone)]
pub(super) struct RestServer {
    pub(super) url: String,
    pub(super) state: Arc<Lock<State>>,
}

impl RestServer {
    /// Starts the catalog. Its tables lie below `warehouse`.
    pub(super) fn start(warehouse: &Path) -> Self {
        let state = Arc::new(Lock::new(State {
            warehouse: format!("file://{}", warehouse.to_str().unwrap()),
            ..State::default()
        }));
        let answering = state.clone();
        let url = serve(move |request| {
            let mut state = answering.lock();
            state.answer(&request.method, &request.path, &request.body)
        });
        Self { url, state }
    }

    pub(super) fn fault(&self, fault: Fault) {
        self.state.lock().faults.push_back(fault);
    }

    pub(super) fn set_down(&self, is_down: bool) {
        self.state.lock().is_down = is_down;
    }

    /// Returns the number of commits that the catalog has carried out.
    pub(super) fn commits(&self) -> usize {
        self.state.lock().commits
    }
}

fn error(status: u16, kind: &str) -> Answer {
    let error = json!({"error": {"message": kind, "type": kind, "code": status}});
    Some((status, error.to_string().into_bytes()))
}

fn ok(body: &impl serde::Serialize) -> Answer {
    Some((200, serde_json::to_vec(body).unwrap()))
}

impl State {
    fn answer(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        if self.is_down {
            return None;
        }
        let steps: Vec<&str> = path.split('/').skip(2).collect();
        match (method, steps.as_slice()) {
            ("GET", ["config"]) => ok(&json!({"defaults": {"prefix": "main"}, "overrides": {}})),
            ("POST", ["main", "namespaces"]) => {
                let request: CreateNamespaceRequest = serde_json::from_slice(body).unwrap();
                self.namespaces.push(request.namespace.to_url_string());
                ok(&NamespaceResponse {
                    namespace: request.namespace,
                    properties: request.properties,
                })
            }
            ("GET", ["main", "namespaces", name]) => {
                if !self.namespaces.iter().any(|known| known == name) {
                    return error(404, "NoSuchNamespaceException");
                }
                ok(&NamespaceResponse {
                    namespace: NamespaceIdent::new((*name).to_owned()),
                    properties: std::collections::HashMap::new(),
                })
            }
            ("POST", ["main", "namespaces", _, "tables"]) => {
                let fault = self.faults.pop_front();
                if fault == Some(Fault::Refused) {
                    return error(403, "ForbiddenException");
                }
                let answer = self.create(serde_json::from_slice(body).unwrap());
                answer.filter(|_| fault != Some(Fault::LostAnswer))
            }
            ("GET", ["main", "namespaces", _, "tables", name]) => self.load(name),
            ("DELETE", ["main", "namespaces", _, "tables", name]) => {
                self.tables.remove(*name);
                Some((204, Vec::new()))
            }
            ("POST", ["main", "namespaces", _, "tables", name]) => {
                self.commit(name, serde_json::from_slice(body).unwrap())
            }
            _ => panic!("{method} {path}"),
        }
    }

    fn create(&mut self, request: CreateTableRequest) -> Answer {
        if self.tables.contains_key(&request.name) {
            return error(409, "AlreadyExistsException");
        }
        let mut properties = request.properties;
        assert_eq!(properties.remove("format-version").as_deref(), Some("2"));
        let partitions = request.partition_spec.unwrap();
        assert_eq!(partitions.spec_id(), Some(0));
        let creation = TableCreation::builder()
            .name(request.name.clone())
            .location(format!("{}/{}", self.warehouse, request.name))
            .schema(request.schema)
            .partition_spec(partitions)
            .properties(properties)
            .build();
        let builder = TableMetadataBuilder::from_table_creation(creation).unwrap();
        self.put(&request.name, builder);
        self.load(&request.name)
    }

    /// Replaces the metadata of a table.
    pub(super) fn put(&mut self, name: &str, builder: TableMetadataBuilder) {
        let metadata = builder.build().unwrap().metadata;
        self.commits += 1;
        let commits = self.commits;
        let location = format!(
            "{}/metadata/{commits:05}-{:032x}.metadata.json",
            metadata.location(),
            0
        );
        if let Some(path) = location.strip_prefix("file:///") {
            let path = Path::new("/").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, serde_json::to_vec(&metadata).unwrap()).unwrap();
        }
        self.tables.insert(name.to_owned(), (metadata, location));
    }

    fn load(&mut self, name: &str) -> Answer {
        let late = self.late.take();
        let late = late.map(|(fault, commit)| match fault {
            Fault::LateBefore(0) => {
                self.apply(name, commit);
                None
            }
            Fault::LateBefore(loads) => Some((Fault::LateBefore(loads - 1), commit)),
            other => Some((other, commit)),
        });
        let Some((metadata, location)) = self.tables.get(name) else {
            return error(404, "NoSuchTableException");
        };
        let answer = ok(&LoadTableResult {
            metadata_location: Some(location.clone()),
            metadata: metadata.clone(),
            config: std::collections::HashMap::new(),
            storage_credentials: None,
        });
        match late.flatten() {
            Some((Fault::LateAfter(0), commit)) => drop(self.apply(name, commit)),
            Some((Fault::LateAfter(loads), commit)) => {
                self.late = Some((Fault::LateAfter(loads - 1), commit));
            }
            other => self.late = other,
        }
        answer
    }

    fn commit(&mut self, name: &str, request: CommitTableRequest) -> Answer {
        let fault = self.faults.pop_front();
        match fault {
            Some(Fault::Refused) => error(403, "ForbiddenException"),
            Some(late @ (Fault::LateBefore(_) | Fault::LateAfter(_))) => {
                self.late = Some((late, request));
                None
            }
            Some(Fault::Conflict) => {
                self.commit_of_another_program(name);
                self.apply(name, request)
            }
            Some(Fault::LostAnswer) => {
                self.apply(name, request);
                None
            }
            Some(Fault::Timeout) => {
                self.apply(name, request);
                error(504, "CommitStateUnknownException")
            }
            None => self.apply(name, request),
        }
    }

    fn apply(&mut self, name: &str, request: CommitTableRequest) -> Answer {
        let Some((metadata, location)) = self.tables.get(name) else {
            return error(404, "NoSuchTableException");
        };
        let mut checks = request.requirements.iter();
        if checks.any(|requirement| requirement.check(Some(metadata)).is_err()) {
            return error(409, "CommitFailedException");
        }
        let mut builder = metadata.clone().into_builder(Some(location.clone()));
        for update in request.updates {
            builder = update.apply(builder).unwrap();
        }
        self.put(name, builder);
        let (metadata, location) = self.tables[name].clone();
        ok(&CommitTableResponse {
            metadata_location: location,
            metadata,
        })
    }

    /// Adds a snapshot with the files of the newest snapshot and without positions, like a
    /// compaction.
    fn commit_of_another_program(&mut self, name: &str) {
        let (metadata, location) = self.tables[name].clone();
        let newest = metadata.current_snapshot().unwrap();
        let snapshot = Snapshot::builder()
            .with_snapshot_id(newest.snapshot_id() / 2)
            .with_parent_snapshot_id(Some(newest.snapshot_id()))
            .with_sequence_number(metadata.last_sequence_number() + 1)
            .with_timestamp_ms(metadata.last_updated_ms())
            .with_manifest_list(newest.manifest_list())
            .with_summary(Summary {
                operation: Operation::Replace,
                additional_properties: std::collections::HashMap::new(),
            })
            .with_schema_id(metadata.current_schema_id())
            .build();
        let builder = metadata.into_builder(Some(location));
        let builder = builder.set_branch_snapshot(snapshot, MAIN_BRANCH).unwrap();
        self.put(name, builder);
    }
}
