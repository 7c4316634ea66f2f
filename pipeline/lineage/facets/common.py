"""Ids and small facets that events of every job have."""

from __future__ import annotations

import uuid

from openlineage.client.facet_v2 import JobFacet, RunFacet, error_message_run, job_type_job

PRODUCER = "urn:headwater"


def job_type(processing: str) -> dict[str, JobFacet]:
    """Return the job's type facet; `processing` is BATCH or STREAMING."""
    return {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType=processing, integration="HEADWATER", jobType="JOB"
        )
    }


def error(why: str | None) -> dict[str, RunFacet]:
    """Return the facet of what ended a run, nothing for a run that went well."""
    if why is None:
        return {}
    return {
        "errorMessage": error_message_run.ErrorMessageRunFacet(
            message=why, programmingLanguage="python"
        )
    }


def run_uuid(*parts: str) -> str:
    """Return the UUID of the run that `parts` name: the same in every process."""
    # OpenLineage takes nothing but UUIDs, and our run ids need not be any.
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(("headwater", *parts))))
