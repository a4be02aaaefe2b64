using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;

Func<Turn, ILambdaContext, Reply> handler = (turn, _) => Bot.Answer(turn);
await LambdaBootstrapBuilder.Create(handler, new CamelCaseLambdaJsonSerializer()).Build().RunAsync();
