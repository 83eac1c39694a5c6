//! What a fleet stands on: a database and a cache of one kind or another, and what may stand between.

use std::ops::Deref;
use std::path::Path;

use double11_power_loss::FaultyDisk;
use double11_servers::{
    MariaDb, Proxy, Redis, RedisCluster, SeekDb, ServerError, ServerProcess, Tool, present,
};

/// The kinds of servers below a fleet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground {
    pub(crate) database: DatabaseKind,
    pub(crate) cache: CacheKind,
}

/// `MariaDB` and Redis, and nothing between them and the shops.
pub(crate) const USUAL: Ground = Ground {
    database: DatabaseKind::MariaDb,
    cache: CacheKind::Redis,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum DatabaseKind {
    MariaDb,
    /// `MariaDB`, which the shops reach through a proxy.
    ProxiedMariaDb,
    /// `MariaDB` on a disk that can be made faulty.
    MariaDbOnFaultyDisk,
    SeekDb,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum CacheKind {
    Redis,
    /// Three masters and three replicas.
    Cluster,
}

impl Ground {
    /// Whether all of it is installed; says what is missing.
    pub(crate) fn is_present(self) -> bool {
        let database = match self.database {
            DatabaseKind::SeekDb => Tool::SeekDb,
            _ => Tool::MariaDb,
        };
        present(database) && present(Tool::Redis)
    }
}

/// The database of a fleet.
pub(crate) struct Database {
    server: DatabaseServer,
    proxy: Option<Proxy>,
    disk: Option<FaultyDisk>,
}

enum DatabaseServer {
    MariaDb(MariaDb),
    SeekDb(SeekDb),
}

/// What every server can do.
impl Deref for Database {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        match &self.server {
            DatabaseServer::MariaDb(server) => server,
            DatabaseServer::SeekDb(server) => server,
        }
    }
}

impl Database {
    /// Starts it. `outside` is a folder for what does not belong to the server's data.
    pub(crate) fn start(kind: DatabaseKind, outside: &Path) -> Self {
        let mut database = Self {
            server: match kind {
                DatabaseKind::SeekDb => DatabaseServer::SeekDb(SeekDb::start().unwrap()),
                DatabaseKind::MariaDb | DatabaseKind::ProxiedMariaDb => {
                    DatabaseServer::MariaDb(MariaDb::start().unwrap())
                }
                DatabaseKind::MariaDbOnFaultyDisk => {
                    let disk = FaultyDisk::new(outside).unwrap();
                    // What the kernel writes by itself passes the library by.
                    let options = ["--innodb-use-native-aio=0"];
                    let server = MariaDb::start_in(&options, |data| disk.environment(data));
                    return Self {
                        server: DatabaseServer::MariaDb(server.unwrap()),
                        proxy: None,
                        disk: Some(disk),
                    };
                }
            },
            proxy: None,
            disk: None,
        };
        if matches!(kind, DatabaseKind::ProxiedMariaDb) {
            database.proxy = Some(Proxy::start(database.port()).unwrap());
        }
        database
    }

    /// Creates a database; its address, around the proxy.
    pub(crate) fn create(&self, name: &str) -> String {
        let made = match &self.server {
            DatabaseServer::MariaDb(server) => server.create_database(name),
            DatabaseServer::SeekDb(server) => server.create_database(name),
        };
        made.unwrap()
    }

    /// An address as the shops are to use it.
    pub(crate) fn through(&self, url: &str) -> String {
        match &self.proxy {
            Some(proxy) => proxy.through(url),
            None => url.to_owned(),
        }
    }

    /// Runs statements as administrator, around the proxy.
    pub(crate) fn sql(&self, statements: &str) -> Result<String, ServerError> {
        match &self.server {
            DatabaseServer::MariaDb(server) => server.sql(statements),
            DatabaseServer::SeekDb(server) => server.sql(statements),
        }
    }

    pub(crate) fn restart(&self) {
        match &self.server {
            DatabaseServer::MariaDb(server) => server.restart(),
            DatabaseServer::SeekDb(server) => server.restart(),
        }
        .unwrap();
    }

    /// What stands between the shops and a database of this kind.
    pub(crate) fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().unwrap()
    }

    /// What a database of this kind lies on.
    pub(crate) fn disk(&self) -> &FaultyDisk {
        self.disk.as_ref().unwrap()
    }
}

/// The cache of a fleet.
pub(crate) enum Cache {
    Single(Redis),
    Cluster(RedisCluster),
}

impl Cache {
    pub(crate) fn start(kind: CacheKind) -> Self {
        match kind {
            CacheKind::Redis => Self::Single(Redis::start().unwrap()),
            CacheKind::Cluster => Self::Cluster(RedisCluster::start().unwrap()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Single(server) => server.url(),
            Self::Cluster(cluster) => cluster.url(),
        }
    }

    /// The only server of a cache of this kind.
    pub(crate) fn single(&self) -> &Redis {
        match self {
            Self::Single(server) => server,
            Self::Cluster(_) => panic!("a cluster has several servers"),
        }
    }

    /// All servers of a cache of this kind.
    pub(crate) fn cluster(&self) -> &RedisCluster {
        match self {
            Self::Single(_) => panic!("a single server is no cluster"),
            Self::Cluster(cluster) => cluster,
        }
    }
}
