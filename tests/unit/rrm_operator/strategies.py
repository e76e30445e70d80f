"""Whatever a trainer, a pod or the kubelet may say, as hypothesis draws it: sensible, odd and huge."""

from hypothesis import strategies as st

from rrm_api.conditions import Reason
from rrm_api.run import Phase, Result

MOMENTS = (
    "soon", "", "2026-01-01", "2026-W01-1", "20260101T000000Z", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00.123456+05:30", "2026-01-01T24:00:00Z", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T25:61:00Z", "٢٠٢٦-01-01T00:00:00Z",
)  # fmt: skip
LONG = ("x" * 600, "é" * 4097, "\U0001f600" * 9000, "\n\x00")
EDGES = (0, 1, 24, 2**31, 2**53, 2**63 - 1, 2**63, 10**30, 10**400)
texts = st.one_of(st.text(max_size=40), st.sampled_from(LONG))
short_texts = st.one_of(st.text(max_size=40), st.just("é" * 512))
counts = st.one_of(st.integers(0, 30), st.sampled_from(EDGES))
numbers = st.one_of(counts, st.integers(), st.sampled_from([-1, -(2**63) - 1, -(10**30)]))
floats = st.one_of(st.none(), st.floats())
moments = st.one_of(
    st.sampled_from(MOMENTS), st.datetimes().map(lambda it: f"{it.isoformat()}Z"), st.text(max_size=40)
)
names = st.one_of(st.sampled_from("ab"), st.just("é" * 64))
metrics = st.one_of(
    st.lists(
        st.fixed_dictionaries({"name": names, "value": st.sampled_from(["0.5", "-1e+308"])}), max_size=4
    ),
    st.just([{"name": f"m{number % 63}", "value": "7"} for number in range(64)]),
)
checkpoints = st.fixed_dictionaries(
    {}, optional={it: counts for it in ("latestStep", "bestStep", "bytes")} | {"latestPath": short_texts}
)
prepared = st.fixed_dictionaries(
    {
        "data": st.fixed_dictionaries(
            {
                "train": counts,
                "validation": counts,
                "digest": short_texts,
                "dropped": st.lists(st.fixed_dictionaries({"reason": names, "rows": counts}), max_size=4),
            }
        ),
        "readRows": numbers,
        "totalSteps": numbers,
        "evaluateEverySteps": numbers,
        "saveEverySteps": numbers,
        "preset": short_texts,
        "modelRevision": st.one_of(st.none(), short_texts),
        "floors": metrics,
    }
)
progresses = st.fixed_dictionaries(
    {
        "attempt": st.sampled_from([1, 1, 1, 1, 2, 0, -1, 2**31 - 1, 2**63]),
        "phase": st.sampled_from(Phase),
        "step": numbers,
        "totalSteps": numbers,
        "time": moments,
    },
    optional={
        "fromStep": numbers,
        "reward": floats,
        "parseRate": floats,
        "secondsPerStep": floats,
        "lift": floats,
        "etaSeconds": numbers,
        "validation": metrics,
        "base": metrics,
        "checkpoints": checkpoints,
        "findings": st.lists(
            st.fixed_dictionaries({"reason": st.sampled_from(Reason), "step": numbers, "message": texts}),
            max_size=3,
        ),
    },
)
endings = st.fixed_dictionaries(
    {
        "result": st.sampled_from(Result),
        "reason": st.sampled_from(Reason),
        "message": texts,
        "exitCode": st.one_of(st.sampled_from([0, 1, 11, 20, 30, 137]), numbers),
        "finishedTime": moments,
        "logTail": texts,
    }
)
trained = st.fixed_dictionaries(
    {"step": numbers, "totalSteps": numbers, "checkpoints": checkpoints, "base": metrics, "best": metrics}
)
exported = st.fixed_dictionaries({"path": short_texts, "step": counts})
pods = st.fixed_dictionaries(
    {},
    optional={
        "message": texts,
        "reason": short_texts,
        "conditions": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["PodScheduled", "DisruptionTarget"]),
                    "status": st.sampled_from(["True", "False"]),
                    "reason": st.sampled_from(["Unschedulable", "EvictionByEvictionAPI"]),
                    "message": texts,
                }
            ),
            max_size=2,
        ),
        "containerStatuses": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.just("main"),
                    "imageID": st.one_of(st.just(""), texts.map(lambda it: f"{it}@sha256:{it}")),
                    "state": st.one_of(
                        st.fixed_dictionaries(
                            {"waiting": st.fixed_dictionaries({"reason": short_texts, "message": texts})}
                        ),
                        st.fixed_dictionaries(
                            {
                                "terminated": st.fixed_dictionaries(
                                    {
                                        "exitCode": st.integers(-(2**31), 2**31 - 1),
                                        "reason": short_texts,
                                        "message": texts,
                                    }
                                )
                            }
                        ),
                    ),
                }
            ),
            max_size=1,
        ),
    },
)
