using OrleansMqtt.Silo;

var builder = WebApplication.CreateBuilder(args);
builder.AddOrleansMqtt();
try
{
    var app = builder.Build();
    app.MapOrleansMqtt();
    await app.RunAsync();
    return 0;
}
catch (Exception exception) when (StartupFailure.Describe(exception) is { } description)
{
    // A wrong setting is told in one line, not with a stack trace.
    await Console.Error.WriteLineAsync(description);
    return 1;
}
