//! ServerInfoService: what this server is.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::v1::server_info_service_server::ServerInfoService;
use super::{Desk, convert, taxonomy_service, v1};

/// Serves ServerInfoService.
pub struct ServerInfo(pub Arc<Desk>);

#[tonic::async_trait]
impl ServerInfoService for ServerInfo {
    async fn get_server_info(
        &self,
        _: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::GetServerInfoResponse>, Status> {
        let desk = &self.0;
        Ok(Response::new(v1::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: Some(convert::limits(&desk.limits)),
            models: desk.analyzer.models().into_iter().map(convert::model).collect(),
            taxonomies: taxonomy_service::all(desk),
        }))
    }
}
