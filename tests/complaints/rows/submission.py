"""Group b: submitter, dashboard, and networks that blink."""

from typing import Final

from tests.complaints.complaint import Complaint

NO_LOG_STREAM: Final = (
    "No log is followed: a job is asked about with single requests of at most `rayTimeoutSeconds` "
    "(`ports.RayJobs` has no other), and the trainer writes its log to the claim."
)

ROWS: Final = (
    Complaint(
        21,
        ("kuberay#2317",),
        "a blip of the network fails a good job, and its id kills the retry",
        seen_red="assess/endings.py: silence alone counted as a loss",
    ),
    Complaint(
        22,
        ("kuberay#2788",),
        "a short failure to read logs must not fail the job",
        seen_red="ray_jobs.py: any bad answer taken for an unknown job",
    ),
    Complaint(
        23,
        ("kuberay#4921",),
        "the connection that follows the log was cut: job failed",
        impossible=NO_LOG_STREAM,
    ),
    Complaint(
        24,
        ("ray#51601",),
        "`ray job submit` stops following at random",
        anchor="RayJob's submitter is that command; when it ends, the job's state is guessed from it.",
        impossible=NO_LOG_STREAM,
    ),
    Complaint(
        25,
        ("ray#43068", "ray#57002", "ray#60665"),
        "one HTTP call for a job of days is wrong",
        seen_red="ray_jobs.py: no limit to a request",
    ),
    Complaint(
        26,
        ("kuberay#4760",),
        "the head was not ready yet: back-off burnt, run failed",
        seen_red="plan/__init__.py: a job that Ray did not take not handed in again",
    ),
    Complaint(
        27,
        ("kuberay#2376", "kuberay#2393", "kuberay#2058"),
        "hidden retries cannot be turned off",
        seen_red="assess/consequences.py: one restart more than allowed",
    ),
    Complaint(
        28,
        ("kuberay#3211",),
        "the second submitter ends with 0 although the job failed",
        seen_red="assess/endings.py: only FAILED of Ray's ends noticed",
    ),
    Complaint(
        29,
        ("kuberay PR#1000",),
        "the client gave up after 2 s and the job ran twice",
        seen_red="ray_jobs.py: sent again without asking",
    ),
    Complaint(
        30,
        ("kuberay PR#4916", "kuberay PR#5295"),
        "the deadline does not stop the Ray job",
        seen_red="plan/__init__.py: Ray never told to stop",
    ),
    Complaint(
        31,
        ("kuberay#2701",),
        "no log at all without the submitter pod",
        seen_red="assess/endings.py: the log's tail not kept",
    ),
    Complaint(
        32,
        ("ray#35685",),
        "the error of the runtime environment cannot be found",
        seen_red="assess/endings.py: Ray's message not lifted",
    ),
)
