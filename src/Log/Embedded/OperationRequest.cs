namespace OrleansMqtt.Log.Embedded;

/// <summary>A change of the tables that gives a result.</summary>
internal sealed class OperationRequest<T>(Func<EmbeddedWriter, T> apply) : WriteRequest
{
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _exception;

    public Task<T> Task => _completion.Task;

    public override void Apply(EmbeddedWriter writer)
    {
        _exception = null;
        try
        {
            _result = apply(writer);
        }
        catch (Exception exception) when (exception is not Microsoft.Data.Sqlite.SqliteException)
        {
            _exception = exception;
        }
    }

    public override void Complete()
    {
        if (_exception is null)
        {
            _completion.TrySetResult(_result!);
        }
        else
        {
            _completion.TrySetException(_exception);
        }
    }

    public override void Fail(Exception exception) => _completion.TrySetException(exception);
}
