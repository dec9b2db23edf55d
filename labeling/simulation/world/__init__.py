"""The miniature world: a small true world, people in it, and a hidden idea of what a good answer is.

Pure Python, standard library only. `World(seed)` is the door to texts and prompts, `judge` to the gold utility,
`SimulatedLabeler` to the people who write and rank.
"""

from labeling.simulation.world.labelers import SimulatedLabeler
from labeling.simulation.world.prompts import Prompt
from labeling.simulation.world.utility import Judgement, judge
from labeling.simulation.world.world import World

__all__ = ["Judgement", "Prompt", "SimulatedLabeler", "World", "judge"]
