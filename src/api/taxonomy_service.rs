//! TaxonomyService: the taxonomies that documents can be tagged with.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::error::ApiError;
use super::v1::taxonomy_service_server::TaxonomyService;
use super::{Desk, convert, page_token, v1, validate};
use crate::topics::{Choice, TaxonomyInfo};

/// Serves TaxonomyService.
pub struct Taxonomies(pub Arc<Desk>);

#[tonic::async_trait]
impl TaxonomyService for Taxonomies {
    async fn list_taxonomies(
        &self,
        request: Request<v1::ListTaxonomiesRequest>,
    ) -> Result<Response<v1::ListTaxonomiesResponse>, Status> {
        let v1::ListTaxonomiesRequest { page_size, page_token } = request.into_inner();
        let page_size = validate::page_size(page_size)?;
        let after = match page_token.as_str() {
            "" => None,
            token => Some(
                page_token::decode_taxonomy(token)
                    .map_err(|description| ApiError::invalid("page_token", description))?,
            ),
        };
        let mut taxonomies = all(&self.0);
        taxonomies.retain(|taxonomy| after.as_ref().is_none_or(|after| taxonomy.taxonomy > *after));
        let more = taxonomies.len() > page_size;
        taxonomies.truncate(page_size);
        let last = taxonomies.last().filter(|_| more);
        let next_page_token =
            last.map(|last| page_token::encode_taxonomy(&last.taxonomy)).unwrap_or_default();
        Ok(Response::new(v1::ListTaxonomiesResponse { taxonomies, next_page_token }))
    }

    async fn get_taxonomy(
        &self,
        request: Request<v1::GetTaxonomyRequest>,
    ) -> Result<Response<v1::GetTaxonomyResponse>, Status> {
        let id = request.into_inner().taxonomy;
        if id.is_empty() {
            return Err(ApiError::invalid("taxonomy", "is required").into());
        }
        let desk = &self.0;
        let choice = desk.catalogue().find(&id).ok_or_else(|| ApiError::taxonomy_not_found(&id))?;
        let info: &TaxonomyInfo = match &choice {
            Choice::BuiltIn => desk.analyzer.taxonomy(),
            Choice::Own(own) => own.info(),
        };
        let topics = desk.analyzer.topics(&choice).map(convert::taxonomy_topic).collect();
        Ok(Response::new(v1::GetTaxonomyResponse { taxonomy: Some(convert::taxonomy(info)), topics }))
    }
}

/// Every taxonomy, in the order of their ids.
pub fn all(desk: &Desk) -> Vec<v1::Taxonomy> {
    let catalogue = desk.catalogue();
    let own = catalogue.own().map(|taxonomy| convert::taxonomy(taxonomy.info()));
    let mut taxonomies: Vec<v1::Taxonomy> =
        own.chain([convert::taxonomy(desk.analyzer.taxonomy())]).collect();
    taxonomies.sort_by(|a, b| a.taxonomy.cmp(&b.taxonomy));
    taxonomies
}
