"""Who samples, behind one small interface: our decoder, a server of OpenAI's interface, vLLM where it is installed."""

from training.contract.run_dir import RunDir, RunError
from training.contract.specs import SampleSpec
from training.rlhf import distributed
from training.rlhf.engines.decoder import DecoderEngine
from training.rlhf.engines.interface import Engine, Sampled
from training.rlhf.engines.openai_server import OpenAIEngine
from training.rlhf.engines.vllm_engine import VllmEngine
from training.rlhf.session import Session

__all__ = ["DecoderEngine", "Engine", "OpenAIEngine", "Sampled", "VllmEngine", "open_engine"]


def open_engine(run: RunDir, spec: SampleSpec, session: Session, policy: str) -> Engine:
    """The engine that the spec names, on the parent named `policy`; a server brings its own model and opens none.

    Raises RunError where the checkpoint, the library or the server's key is missing.
    """
    if spec.engine == "openai":
        return OpenAIEngine(spec, session.stop)
    if spec.engine == "vllm":
        if distributed.count() > 1:
            raise RunError(f"The engine vllm runs in one process, and {distributed.count()} were launched.")
        return VllmEngine(run.parent(policy), spec)
    return DecoderEngine(run.parent(policy), spec, session.device)
