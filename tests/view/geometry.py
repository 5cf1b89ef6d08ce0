"""What a picture must hold to whatever is drawn: boxes apart, writing inside its box, no line through a box."""

from itertools import combinations, pairwise


def segment_crosses(a, b, left, low, right, high):
    """Whether a segment has a point inside a rectangle (Liang and Barsky)."""
    (x, y), dx, dy = a, b[0] - a[0], b[1] - a[1]
    enter, leave = 0.0, 1.0
    for slope, room in ((-dx, x - left), (dx, right - x), (-dy, y - low), (dy, high - y)):
        if slope == 0:
            if room <= 0:
                return False
        elif slope < 0:
            enter = max(enter, room / slope)
        else:
            leave = min(leave, room / slope)
    return enter < leave


def overlapping(boxes, margin=0.1):
    """Pairs of boxes that lie on each other."""
    found, active = [], []
    for box in sorted(boxes, key=lambda b: b.x - b.width / 2):
        left = box.x - box.width / 2
        active = [b for b in active if b.x + b.width / 2 > left + margin]
        found += [(box, b) for b in active if abs(box.y - b.y) < (box.height + b.height) / 2 - margin]
        active.append(box)
    return found


def through(scene, margin=1.0):
    """Lines that run through a box, be it one that they belong to: (line, box)."""
    found = []
    for line in scene.lines:
        for box in scene.boxes:
            left, right = box.x - box.width / 2 + margin, box.x + box.width / 2 - margin
            low, high = box.y - box.height / 2 + margin, box.y + box.height / 2 - margin
            if any(segment_crosses(a, b, left, low, right, high) for a, b in pairwise(line.points)):
                found.append((line, box))
    return found


def loose(scene, margin=1.0):
    """Lines that do not begin at the border of their source or do not end at that of their target."""
    boxes = {box.id: box for box in scene.boxes}

    def on_border(box, point):
        dx, dy = abs(point[0] - box.x) - box.width / 2, abs(point[1] - box.y) - box.height / 2
        return max(dx, dy) < margin and max(dx, dy) > -margin

    return [
        line
        for line in scene.lines
        if not on_border(boxes[line.source], line.points[0]) or not on_border(boxes[line.target], line.points[-1])
    ]


def covered(scene, least=6.0):
    """Pairs of lines from different boxes to different boxes that run on top of each other for a while."""
    pieces = {0: {}, 1: {}}  # upright and level pieces by where they lie
    for line in scene.lines:
        for a, b in pairwise(line.points):
            for axis in (0, 1):
                if abs(a[axis] - b[axis]) < 0.3 and abs(a[1 - axis] - b[1 - axis]) > least:
                    low, high = sorted((a[1 - axis], b[1 - axis]))
                    pieces[axis].setdefault(round(a[axis]), []).append((low, high, line))
    found = []
    for axis in (0, 1):
        for here in pieces[axis].values():
            for (low, high, one), (low2, high2, other) in combinations(here, 2):
                together = one.source == other.source or one.target == other.target
                if not together and min(high, high2) - max(low, low2) > least:
                    found.append((one, other))
    return found


def written_out_of_its_box(scene):
    """Boxes whose writing is wider than they are, as far as the widths of letters can be estimated."""
    found = []
    for box in scene.boxes:
        for kind, text in (("name", box.name), *box.numbers):
            if (7.5 if kind == "name" else 5.2) * len(text) > box.width + 2:
                found.append((box.id, text))
    return found
