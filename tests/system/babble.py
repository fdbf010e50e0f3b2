"""Sound that goes on as talk does. A steady tone is soon taken for noise, and of silence hardly
anything is sent (DTX): whoever counts packets or listens for a level needs syllables."""
import array
import math
import random
import wave

RATE = 16000
SYLLABLE, PAUSE = 2400, 960  # samples: 150 and 60 ms
SYLLABLES = 20
TIMES = 15  # a minute in all


def _syllable(pitch, draw):
    """With the quiet of a room behind it."""
    def voice(i):
        swell = math.sin(math.pi * i / SYLLABLE)
        return 2500 * swell * sum(math.sin(2 * math.pi * h * pitch * i / RATE) / h for h in range(1, 9))

    return [int(voice(i)) for i in range(SYLLABLE)] + [draw.randint(-100, 100) for _ in range(PAUSE)]


def babble(path, seed):
    """Writes it to that file, other syllables for each seed; the device that speaks it."""
    draw = random.Random(seed)
    samples = array.array("h")
    for _ in range(SYLLABLES):
        samples.extend(_syllable(draw.uniform(90, 260), draw))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples * TIMES).tobytes())
    return f"file:{path}"
