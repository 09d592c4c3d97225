namespace OrleansMqtt.Grains;

/// <summary>The members with room, in the order in which they get messages: those that have the fewest first, and in turn among equals. A heap whose members know their places.</summary>
internal sealed class MemberQueue
{
    private readonly List<GroupMember> _heap = [];
    private long _turn;

    /// <summary>Who gets the next message; null when nobody has room.</summary>
    public GroupMember? Next => _heap.Count > 0 ? _heap[0] : null;

    /// <summary>A member has got a message.</summary>
    public void Served(GroupMember member)
    {
        member.Turn = ++_turn;
        Update(member);
    }

    /// <summary>A member has changed.</summary>
    public void Update(GroupMember member)
    {
        if (!member.HasRoom)
        {
            Remove(member);
            return;
        }

        if (member.QueueIndex < 0)
        {
            member.QueueIndex = _heap.Count;
            _heap.Add(member);
        }

        Down(Up(member));
    }

    private static bool IsBefore(GroupMember first, GroupMember second) =>
        first.Leases != second.Leases ? first.Leases < second.Leases : first.Turn < second.Turn;

    private void Remove(GroupMember member)
    {
        var index = member.QueueIndex;
        if (index < 0)
        {
            return;
        }

        member.QueueIndex = -1;
        var last = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        if (last != member)
        {
            Put(last, index);
            Down(Up(last));
        }
    }

    private GroupMember Up(GroupMember member)
    {
        for (var index = member.QueueIndex; index > 0;)
        {
            var above = (index - 1) / 2;
            if (!IsBefore(member, _heap[above]))
            {
                break;
            }

            Put(_heap[above], index);
            Put(member, above);
            index = above;
        }

        return member;
    }

    private void Down(GroupMember member)
    {
        for (var index = member.QueueIndex; ;)
        {
            var below = (2 * index) + 1;
            if (below + 1 < _heap.Count && IsBefore(_heap[below + 1], _heap[below]))
            {
                below++;
            }

            if (below >= _heap.Count || !IsBefore(_heap[below], member))
            {
                return;
            }

            Put(_heap[below], index);
            Put(member, below);
            index = below;
        }
    }

    private void Put(GroupMember member, int index)
    {
        _heap[index] = member;
        member.QueueIndex = index;
    }
}
